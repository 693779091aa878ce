-- S3 Inventory lists to `storage_ages`: objects by folder (at most four deep), class, tier, state, age and size.
--
-- `inventory_time` is no column of a list: it is when the list was begun, from its manifest. Sorted by folder, so that
-- whoever takes the answer can fold small folders into the one above with little memory. Sums are decimals on their way:
-- one that no bigint holds is an error on every engine, never a negative number.
with listed as (
    select
        bucket,
        key,
        strpos(key, '/') as first_slash,
        nullif(storage_class, '') as storage_class,
        nullif(intelligent_tiering_access_tier, '') as tier,
        case
            when is_delete_marker then 'delete_marker'
            when is_latest is null or is_latest then 'current'
            else 'noncurrent'
        end as state,
        case when is_delete_marker then coalesce(size, 0) else size end as size,
        last_modified_date,
        inventory_time
    from inventory
),
-- Where the first, second and third slash of a key are, or the last where there are fewer.
seconds as (
    select
        bucket, key, first_slash + strpos(substr(key, first_slash + 1), '/') as second_slash,
        storage_class, tier, state, size, last_modified_date, inventory_time
    from listed
),
thirds as (
    select
        bucket, key, second_slash + strpos(substr(key, second_slash + 1), '/') as third_slash,
        storage_class, tier, state, size, last_modified_date, inventory_time
    from seconds
),
objects as (
    select
        bucket,
        coalesce(substr(key, 1, third_slash + strpos(substr(key, third_slash + 1), '/')), '') as prefix,
        storage_class,
        tier,
        state,
        case
            when last_modified_date is null then null
            when last_modified_date > inventory_time - interval '30' day then 0
            when last_modified_date > inventory_time - interval '60' day then 30
            when last_modified_date > inventory_time - interval '90' day then 60
            when last_modified_date > inventory_time - interval '180' day then 90
            when last_modified_date > inventory_time - interval '365' day then 180
            when last_modified_date > inventory_time - interval '730' day then 365
            else 730
        end as older_than_days,
        case
            when size is null then null
            when size < 131072 then 0
            when size < 1048576 then 131072
            when size < 16777216 then 1048576
            when size < 134217728 then 16777216
            when size < 1073741824 then 134217728
            else 1073741824
        end as larger_than_bytes,
        cast(size as decimal(20, 0)) as size,
        last_modified_date
    from thirds
)
select
    bucket, prefix, storage_class, tier, state, older_than_days, larger_than_bytes,
    count(*) as objects,
    cast(case when count(size) = count(*) then sum(size) end as bigint) as bytes,
    min(last_modified_date) as oldest,
    max(last_modified_date) as newest
from objects
group by bucket, prefix, storage_class, tier, state, older_than_days, larger_than_bytes
order by prefix, bucket, storage_class, tier, state, older_than_days, larger_than_bytes
