-- Cost and Usage Reports, 2.0 and legacy, hour by hour and tag by tag, to `bill`.
--
-- A row is dated at the day of its usage; what lies outside the billing period (a fee of the month before, a refund) at
-- the nearest day inside, so that the days of a month sum to its bill. Amortised cost as AWS defines it: plans and
-- reservations in what they covered, and what of them was not used in the fee's own row.
with lines as (
    select
        case
            when bill_billing_period_start_date is not null
                and line_item_usage_start_date < bill_billing_period_start_date
                then cast(bill_billing_period_start_date as date)
            when bill_billing_period_end_date is not null
                and line_item_usage_start_date >= bill_billing_period_end_date
                then cast(bill_billing_period_end_date - interval '1' day as date)
            else cast(coalesce(line_item_usage_start_date, bill_billing_period_start_date) as date)
        end as day,
        bill_payer_account_id as account_id,
        line_item_usage_account_id as linked_account_id,
        nullif(product_region_code, '') as region,
        line_item_product_code as service,
        nullif(line_item_usage_type, '') as usage_type,
        nullif(line_item_operation, '') as operation,
        nullif(line_item_resource_id, '') as resource,
        line_item_line_item_type as line_type,
        nullif(pricing_rate_id, '') as pricing_rate_id,
        case
            when line_item_line_item_type in ('Usage', 'SavingsPlanCoveredUsage', 'DiscountedUsage')
                then nullif(pricing_unit, '')
        end as unit,
        line_item_currency_code as currency,
        case
            when line_item_line_item_type in ('Usage', 'SavingsPlanCoveredUsage', 'DiscountedUsage') then 'usage'
            when line_item_line_item_type in ('SavingsPlanRecurringFee', 'SavingsPlanUpfrontFee', 'SavingsPlanNegation',
                'RIFee') then 'commitment'
            when line_item_line_item_type = 'Fee' and coalesce(reservation_reservation_a_r_n, '') <> ''
                then 'commitment'
            when line_item_line_item_type = 'Fee' then 'fee'
            when line_item_line_item_type = 'Credit' then 'credit'
            when line_item_line_item_type = 'Refund' then 'refund'
            when line_item_line_item_type = 'Tax' then 'tax'
            when line_item_line_item_type like '%Discount' then 'discount'
            else 'other'
        end as record_type,
        case
            when line_item_line_item_type in ('Usage', 'SavingsPlanCoveredUsage', 'DiscountedUsage')
                then cast(line_item_usage_amount as decimal(28, 12))
        end as usage,
        cast(line_item_unblended_cost as decimal(28, 12)) as unblended,
        case
            when line_item_line_item_type = 'SavingsPlanCoveredUsage'
                then cast(savings_plan_savings_plan_effective_cost as decimal(28, 12))
            when line_item_line_item_type = 'SavingsPlanRecurringFee'
                then cast(savings_plan_total_commitment_to_date as decimal(28, 12))
                    - cast(savings_plan_used_commitment as decimal(28, 12))
            when line_item_line_item_type in ('SavingsPlanNegation', 'SavingsPlanUpfrontFee')
                then cast(0 as decimal(28, 12))
            when line_item_line_item_type = 'DiscountedUsage'
                then cast(reservation_effective_cost as decimal(28, 12))
            when line_item_line_item_type = 'RIFee'
                then cast(reservation_unused_amortized_upfront_fee_for_billing_period as decimal(28, 12))
                    + cast(reservation_unused_recurring_fee as decimal(28, 12))
            when line_item_line_item_type = 'Fee' and coalesce(reservation_reservation_a_r_n, '') <> ''
                then cast(0 as decimal(28, 12))
            else cast(line_item_unblended_cost as decimal(28, 12))
        end as amortized,
        cast(line_item_net_unblended_cost as decimal(28, 12)) as net_unblended,
        case
            when line_item_line_item_type = 'SavingsPlanCoveredUsage'
                then cast(savings_plan_net_savings_plan_effective_cost as decimal(28, 12))
            when line_item_line_item_type in ('SavingsPlanNegation', 'SavingsPlanUpfrontFee')
                and line_item_net_unblended_cost is not null
                then cast(0 as decimal(28, 12))
            when line_item_line_item_type = 'SavingsPlanRecurringFee'
                and line_item_net_unblended_cost is not null
                and savings_plan_total_commitment_to_date = savings_plan_used_commitment
                then cast(0 as decimal(28, 12))
            when line_item_line_item_type = 'SavingsPlanRecurringFee' then null
            when line_item_line_item_type = 'DiscountedUsage'
                then cast(reservation_net_effective_cost as decimal(28, 12))
            when line_item_line_item_type = 'RIFee'
                then cast(reservation_net_unused_amortized_upfront_fee_for_billing_period as decimal(28, 12))
                    + cast(reservation_net_unused_recurring_fee as decimal(28, 12))
            when line_item_line_item_type = 'Fee' and coalesce(reservation_reservation_a_r_n, '') <> ''
                and line_item_net_unblended_cost is not null
                then cast(0 as decimal(28, 12))
            else cast(line_item_net_unblended_cost as decimal(28, 12))
        end as net_amortized,
        case
            when line_item_line_item_type in ('Usage', 'SavingsPlanCoveredUsage', 'DiscountedUsage')
                then cast(pricing_public_on_demand_cost as decimal(28, 12))
        end as list
    from cur
)
select
    day, account_id, linked_account_id, region, service, usage_type, operation, resource, line_type, pricing_rate_id,
    unit, currency, record_type,
    case when count(usage) = count(*) then sum(usage) end as usage,
    case when count(unblended) = count(*) then sum(unblended) end as unblended,
    case when count(amortized) = count(*) then sum(amortized) end as amortized,
    case when count(net_unblended) = count(*) then sum(net_unblended) end as net_unblended,
    case when count(net_amortized) = count(*) then sum(net_amortized) end as net_amortized,
    case when count(list) = count(*) then sum(list) end as list,
    'cur' as source
from lines
group by
    day, account_id, linked_account_id, region, service, usage_type, operation, resource, line_type, pricing_rate_id,
    unit, currency, record_type
