-- Storage Lens exports: settings of buckets by day, as numbers. Only records of buckets say them.
with metrics as (
    select
        cast(report_date as date) as day,
        aws_account_number as account_id,
        bucket_name as bucket,
        metric_name,
        cast(metric_value as bigint) as metric_value
    from lens
    where record_type = 'BUCKET'
        and metric_name in ('VersioningEnabledBucketCount', 'MFADeleteEnabledBucketCount', 'TotalLifecycleRuleCount',
            'TransitionLifecycleRuleCount', 'NoncurrentVersionExpirationLifecycleRuleCount',
            'AbortIncompleteMPULifecycleRuleCount')
)
select
    day, account_id, bucket,
    max(case when metric_name = 'VersioningEnabledBucketCount' then metric_value end) as versioning_enabled,
    max(case when metric_name = 'MFADeleteEnabledBucketCount' then metric_value end) as mfa_delete_enabled,
    max(case when metric_name = 'TotalLifecycleRuleCount' then metric_value end) as rules,
    max(case when metric_name = 'TransitionLifecycleRuleCount' then metric_value end) as transition_rules,
    max(case when metric_name = 'NoncurrentVersionExpirationLifecycleRuleCount' then metric_value end)
        as noncurrent_expiration_rules,
    max(case when metric_name = 'AbortIncompleteMPULifecycleRuleCount' then metric_value end) as abort_rules
from metrics
group by day, account_id, bucket
