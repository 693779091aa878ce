-- Storage Lens exports with performance metrics to `storage_sizes`: objects of buckets and prefixes by size and day.
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
    where record_type in ('BUCKET', 'PREFIX') and metric_name like 'Object%Count'
        and (metric_name like 'ObjectLargerThan%' or substr(metric_name, 7, 1) between '0' and '9')
),
bands as (
    select
        day, account_id, region, bucket, prefix, storage_class, configuration_id,
        substr(metric_name, 7, length(metric_name) - 11) as size_band,
        sum(metric_value) as objects
    from metrics
    group by
        day, account_id, region, bucket, prefix, storage_class, configuration_id,
        substr(metric_name, 7, length(metric_name) - 11)
),
classed as (
    select
        day, account_id, bucket, configuration_id, coalesce(prefix, '') as prefix, count(*) as classes
    from bands
    where storage_class is not null
    group by day, account_id, bucket, configuration_id, coalesce(prefix, '')
)
select
    b.day as day, b.account_id as account_id, b.region as region, b.bucket as bucket, b.prefix as prefix,
    b.storage_class as storage_class, b.configuration_id as configuration_id, b.size_band as size_band,
    cast(b.objects as bigint) as objects
from bands b
left join classed c
    on c.day = b.day and c.account_id = b.account_id and c.bucket = b.bucket
    and c.configuration_id = b.configuration_id and c.prefix = coalesce(b.prefix, '')
where b.storage_class is not null or c.classes is null
