-- S3 Inventory lists to `storage_ages`: objects by folder (at most four deep), class, tier, state, age and size.
--
-- `inventory_time` is no column of a list: it is when the list was begun, from its manifest. Sorted by folder, so that
-- whoever takes the answer can fold small folders into the one above with little memory.
with listed as (
    select
        bucket,
        key,
        length(key) - length(replace(key, '/', '')) as slashes,
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
objects as (
    select
        bucket,
        case
            when slashes >= 4 then concat(split_part(key, '/', 1), '/', split_part(key, '/', 2), '/',
                split_part(key, '/', 3), '/', split_part(key, '/', 4), '/')
            when slashes = 3 then concat(split_part(key, '/', 1), '/', split_part(key, '/', 2), '/',
                split_part(key, '/', 3), '/')
            when slashes = 2 then concat(split_part(key, '/', 1), '/', split_part(key, '/', 2), '/')
            when slashes = 1 then concat(split_part(key, '/', 1), '/')
            else ''
        end as prefix,
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
        size,
        last_modified_date
    from listed
)
select
    bucket, prefix, storage_class, tier, state, older_than_days, larger_than_bytes,
    count(*) as objects,
    case when count(size) = count(*) then sum(size) end as bytes,
    min(last_modified_date) as oldest,
    max(last_modified_date) as newest
from objects
group by bucket, prefix, storage_class, tier, state, older_than_days, larger_than_bytes
order by prefix, bucket, storage_class, tier, state, older_than_days, larger_than_bytes
