-- FOCUS 1.0 and 1.2 files to `bill`: for seeing spend, never the basis of a saving.
--
-- FOCUS knows no gross cost: its billed cost is what is invoiced (net unblended), its effective cost is amortised and net.
with lines as (
    select
        case
            when BillingPeriodStart is not null and ChargePeriodStart < BillingPeriodStart
                then cast(BillingPeriodStart as date)
            when BillingPeriodEnd is not null and ChargePeriodStart >= BillingPeriodEnd
                then cast(BillingPeriodEnd - interval '1' day as date)
            else cast(coalesce(ChargePeriodStart, BillingPeriodStart) as date)
        end as day,
        BillingAccountId as account_id,
        coalesce(nullif(SubAccountId, ''), BillingAccountId) as linked_account_id,
        nullif(RegionId, '') as region,
        coalesce(nullif(x_ServiceCode, ''), ServiceName) as service,
        coalesce(nullif(x_UsageType, ''), nullif(SkuMeter, '')) as usage_type,
        nullif(x_Operation, '') as operation,
        nullif(ResourceId, '') as resource,
        ChargeCategory as line_type,
        nullif(SkuPriceId, '') as pricing_rate_id,
        case when ChargeCategory = 'Usage' then coalesce(nullif(ConsumedUnit, ''), nullif(PricingUnit, '')) end as unit,
        BillingCurrency as currency,
        case
            when ChargeCategory = 'Usage' then 'usage'
            when ChargeCategory = 'Purchase' and coalesce(CommitmentDiscountId, '') <> '' then 'commitment'
            when ChargeCategory = 'Purchase' then 'fee'
            when ChargeCategory = 'Credit' then 'credit'
            when ChargeCategory = 'Tax' then 'tax'
            else 'other'
        end as record_type,
        case
            when ChargeCategory <> 'Usage' then null
            when coalesce(ConsumedUnit, '') <> '' then cast(ConsumedQuantity as decimal(28, 12))
            else cast(PricingQuantity as decimal(28, 12))
        end as usage,
        cast(BilledCost as decimal(28, 12)) as net_unblended,
        cast(EffectiveCost as decimal(28, 12)) as net_amortized,
        case when ChargeCategory = 'Usage' then cast(ListCost as decimal(28, 12)) end as list
    from focus
    where ProviderName = 'AWS' or ServiceProviderName = 'AWS'
        or coalesce(nullif(ProviderName, ''), nullif(ServiceProviderName, '')) is null
)
select
    day, account_id, linked_account_id, region, service, usage_type, operation, resource, line_type, pricing_rate_id,
    unit, currency, record_type,
    case when count(usage) = count(*) then sum(usage) end as usage,
    cast(null as decimal(28, 12)) as unblended,
    cast(null as decimal(28, 12)) as amortized,
    case when count(net_unblended) = count(*) then sum(net_unblended) end as net_unblended,
    case when count(net_amortized) = count(*) then sum(net_amortized) end as net_amortized,
    case when count(list) = count(*) then sum(list) end as list,
    'focus' as source
from lines
group by
    day, account_id, linked_account_id, region, service, usage_type, operation, resource, line_type, pricing_rate_id,
    unit, currency, record_type
