-- Storage Lens exports with advanced metrics to `storage_activity`: requests and bytes moved by bucket, prefix and day.
--
-- Records of an account repeat those of its buckets and are left out. Where a bucket or prefix has records by class, one
-- without a class repeats them and is left out too. Sums are decimals on their way: what no bigint holds is an error.
with metrics as (
    select
        cast(report_date as date) as day,
        aws_account_number as account_id,
        nullif(aws_region, '') as region,
        bucket_name as bucket,
        case when record_type = 'PREFIX' then record_value end as prefix,
        nullif(storage_class, '') as storage_class,
        coalesce(configuration_id, '') as configuration_id,
        metric_name,
        cast(cast(metric_value as bigint) as decimal(20, 0)) as metric_value
    from lens
    where record_type in ('BUCKET', 'PREFIX')
        and metric_name in ('AllRequests', 'GetRequests', 'PutRequests', 'HeadRequests', 'DeleteRequests',
            'ListRequests', 'PostRequests', 'SelectRequests', 'SelectScannedBytes', 'SelectReturnedBytes',
            'BytesDownloaded', 'BytesUploaded', '4xxErrors', '5xxErrors', 'UniqueObjectsAccessedDailyCount')
),
activity as (
    select
        day, account_id, region, bucket, prefix, storage_class, configuration_id,
        sum(case when metric_name = 'AllRequests' then metric_value end) as all_requests,
        sum(case when metric_name = 'GetRequests' then metric_value end) as get_requests,
        sum(case when metric_name = 'PutRequests' then metric_value end) as put_requests,
        sum(case when metric_name = 'HeadRequests' then metric_value end) as head_requests,
        sum(case when metric_name = 'DeleteRequests' then metric_value end) as delete_requests,
        sum(case when metric_name = 'ListRequests' then metric_value end) as list_requests,
        sum(case when metric_name = 'PostRequests' then metric_value end) as post_requests,
        sum(case when metric_name = 'SelectRequests' then metric_value end) as select_requests,
        sum(case when metric_name = 'SelectScannedBytes' then metric_value end) as select_scanned_bytes,
        sum(case when metric_name = 'SelectReturnedBytes' then metric_value end) as select_returned_bytes,
        sum(case when metric_name = 'BytesDownloaded' then metric_value end) as bytes_downloaded,
        sum(case when metric_name = 'BytesUploaded' then metric_value end) as bytes_uploaded,
        sum(case when metric_name = '4xxErrors' then metric_value end) as client_errors,
        sum(case when metric_name = '5xxErrors' then metric_value end) as server_errors,
        sum(case when metric_name = 'UniqueObjectsAccessedDailyCount' then metric_value end) as unique_objects_accessed
    from metrics
    group by day, account_id, region, bucket, prefix, storage_class, configuration_id
),
classed as (
    select
        day, account_id, bucket, configuration_id, coalesce(prefix, '') as prefix, count(*) as classes
    from activity
    where storage_class is not null
    group by day, account_id, bucket, configuration_id, coalesce(prefix, '')
)
select
    a.day as day, a.account_id as account_id, a.region as region, a.bucket as bucket, a.prefix as prefix,
    a.storage_class as storage_class, a.configuration_id as configuration_id,
    cast(a.all_requests as bigint) as all_requests, cast(a.get_requests as bigint) as get_requests,
    cast(a.put_requests as bigint) as put_requests, cast(a.head_requests as bigint) as head_requests,
    cast(a.delete_requests as bigint) as delete_requests, cast(a.list_requests as bigint) as list_requests,
    cast(a.post_requests as bigint) as post_requests, cast(a.select_requests as bigint) as select_requests,
    cast(a.select_scanned_bytes as bigint) as select_scanned_bytes,
    cast(a.select_returned_bytes as bigint) as select_returned_bytes,
    cast(a.bytes_downloaded as bigint) as bytes_downloaded, cast(a.bytes_uploaded as bigint) as bytes_uploaded,
    cast(a.client_errors as bigint) as client_errors, cast(a.server_errors as bigint) as server_errors,
    cast(a.unique_objects_accessed as bigint) as unique_objects_accessed
from activity a
left join classed c
    on c.day = a.day and c.account_id = a.account_id and c.bucket = a.bucket
    and c.configuration_id = a.configuration_id and c.prefix = coalesce(a.prefix, '')
where a.storage_class is not null or c.classes is null
