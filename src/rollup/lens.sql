-- Storage Lens exports to `storage_lens`: bytes and objects of buckets and prefixes by class and day.
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
        and metric_name in ('StorageBytes', 'ObjectCount', 'CurrentVersionStorageBytes', 'CurrentVersionObjectCount',
            'NonCurrentVersionStorageBytes', 'NonCurrentVersionObjectCount', 'DeleteMarkerStorageBytes',
            'DeleteMarkerObjectCount', 'IncompleteMultipartUploadStorageBytes',
            'IncompleteMultipartUploadObjectCount', 'IncompleteMPUStorageBytesOlderThan7Days',
            'IncompleteMPUObjectCountOlderThan7Days')
),
sizes as (
    select
        day, account_id, region, bucket, prefix, storage_class, configuration_id,
        sum(case when metric_name = 'StorageBytes' then metric_value end) as bytes,
        sum(case when metric_name = 'ObjectCount' then metric_value end) as objects,
        sum(case when metric_name = 'CurrentVersionStorageBytes' then metric_value end) as current_bytes,
        sum(case when metric_name = 'CurrentVersionObjectCount' then metric_value end) as current_objects,
        sum(case when metric_name = 'NonCurrentVersionStorageBytes' then metric_value end) as noncurrent_bytes,
        sum(case when metric_name = 'NonCurrentVersionObjectCount' then metric_value end) as noncurrent_objects,
        sum(case when metric_name = 'DeleteMarkerStorageBytes' then metric_value end) as delete_marker_bytes,
        sum(case when metric_name = 'DeleteMarkerObjectCount' then metric_value end) as delete_markers,
        sum(case when metric_name = 'IncompleteMultipartUploadStorageBytes' then metric_value end) as incomplete_bytes,
        sum(case when metric_name = 'IncompleteMultipartUploadObjectCount' then metric_value end) as incomplete_objects,
        sum(case when metric_name = 'IncompleteMPUStorageBytesOlderThan7Days' then metric_value end)
            as incomplete_bytes_older_than_7_days,
        sum(case when metric_name = 'IncompleteMPUObjectCountOlderThan7Days' then metric_value end)
            as incomplete_objects_older_than_7_days
    from metrics
    group by day, account_id, region, bucket, prefix, storage_class, configuration_id
),
classed as (
    select
        day, account_id, bucket, configuration_id, coalesce(prefix, '') as prefix, count(*) as classes
    from sizes
    where storage_class is not null
    group by day, account_id, bucket, configuration_id, coalesce(prefix, '')
)
select
    s.day as day, s.account_id as account_id, s.region as region, s.bucket as bucket, s.prefix as prefix,
    s.storage_class as storage_class, s.configuration_id as configuration_id, cast(s.bytes as bigint) as bytes,
    cast(s.objects as bigint) as objects, cast(s.current_bytes as bigint) as current_bytes,
    cast(s.current_objects as bigint) as current_objects, cast(s.noncurrent_bytes as bigint) as noncurrent_bytes,
    cast(s.noncurrent_objects as bigint) as noncurrent_objects,
    cast(s.delete_marker_bytes as bigint) as delete_marker_bytes, cast(s.delete_markers as bigint) as delete_markers,
    cast(s.incomplete_bytes as bigint) as incomplete_bytes, cast(s.incomplete_objects as bigint) as incomplete_objects,
    cast(s.incomplete_bytes_older_than_7_days as bigint) as incomplete_bytes_older_than_7_days,
    cast(s.incomplete_objects_older_than_7_days as bigint) as incomplete_objects_older_than_7_days
from sizes s
left join classed c
    on c.day = s.day and c.account_id = s.account_id and c.bucket = s.bucket
    and c.configuration_id = s.configuration_id and c.prefix = coalesce(s.prefix, '')
where s.storage_class is not null or c.classes is null
