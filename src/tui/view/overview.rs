//! What was spent by day, the month and its landing, what moved, what can be saved, what was not seen.

use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout, Rect};
use ratatui::style::Color;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Bar, BarChart, Block, Paragraph, Row, Table, Wrap};
use rust_decimal::prelude::ToPrimitive;

use super::Theme;
use crate::forecast::Spend;
use crate::forecast::movers::Mover;
use crate::forecast::spend::DayCost;
use crate::model::{Money, text};
use crate::tui::model::Model;

/// Draws the overview.
pub fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let [above, below] = Layout::vertical([Constraint::Percentage(50), Constraint::Fill(1)]).areas(area);
    let [chart, month] = Layout::horizontal([Constraint::Fill(1), Constraint::Length(34)]).areas(above);
    let [moved, found] = Layout::horizontal([Constraint::Fill(1), Constraint::Length(34)]).areas(below);
    match &model.assessment.spend {
        Some(spend) => {
            by_day(model, spend, frame, chart);
            the_month(model, spend, frame, month);
            movers(model, spend, frame, moved);
        }
        None => no_bill(model, frame, above, moved),
    }
    savings(model, frame, found);
}

fn no_bill(model: &Model, frame: &mut Frame<'_>, chart: Rect, movers: Rect) {
    let sorry = if model.assessment.is_bill_blind() {
        "No bill was seen: the scan needs ce:GetCostAndUsage to show what is spent."
    } else {
        "The bill shows no cost."
    };
    frame.render_widget(
        Paragraph::new(sorry).wrap(Wrap { trim: true }).block(Block::bordered().title(" Spend ")),
        chart,
    );
    frame.render_widget(Block::bordered().title(" Movers "), movers);
}

/// One bar of one column for each day, as many of the newest as fit; days that are not final yet are marked.
fn by_day(model: &Model, spend: &Spend, frame: &mut Frame<'_>, area: Rect) {
    let theme = Theme::of(model);
    let fit = usize::from(area.width.saturating_sub(2));
    let days = &spend.days[spend.days.len().saturating_sub(fit)..];
    let bar = |day: &DayCost| {
        let open = day.day > spend.final_through;
        let style = if open { Theme::faint() } else { theme.tint(Color::Cyan) };
        Bar::default().value(cents(day.cost)).text_value(String::new()).style(style)
    };
    let bars: Vec<Bar<'_>> = days.iter().map(bar).collect();
    let most = days.iter().map(|day| day.cost).max().unwrap_or(Money::ZERO);
    let span = days.first().zip(days.last()).map(|(a, b)| format!(" {} to {} ", a.day, b.day)).unwrap_or_default();
    let block = Block::bordered()
        .title(format!(" Spend by day, highest {} ", most.human()))
        .title_bottom(Line::from(span).alignment(Alignment::Right));
    let chart = BarChart::grouped(vec![ratatui::widgets::BarGroup::new(bars)]).bar_width(1).bar_gap(0).max(cents(most));
    frame.render_widget(chart.block(block), area);
}

/// Whole cents for the height of a bar; a day of net credits has none.
fn cents(cost: Money) -> u64 {
    (cost.usd() * rust_decimal::Decimal::ONE_HUNDRED).round().to_u64().unwrap_or(0)
}

fn the_month(model: &Model, spend: &Spend, frame: &mut Frame<'_>, area: Rect) {
    let theme = Theme::of(model);
    let mut lines = vec![
        Line::from(vec![Span::raw("so far     "), Span::styled(spend.month_to_date.human(), theme.title())]),
        Line::styled(format!("through    {}", spend.final_through), Theme::faint()),
    ];
    if let Some(landing) = &spend.landing {
        lines.push(Line::from(format!("landing    {}", landing.cost.expected.human())));
        let span = landing.cost.high.map(Money::human).unwrap_or_default();
        lines.push(Line::styled(format!("  {} … {span}", landing.cost.low.human()), Theme::faint()));
    }
    if let Some(last) = spend.last_month {
        lines.push(Line::from(format!("last month {}", last.human())));
    }
    if let Some(week) = &spend.week {
        lines.push(Line::from(format!("week       {}", week.cost.human())));
        lines.push(Line::styled(format!("  {} on the week before", signed(week.change())), Theme::faint()));
    }
    let block = Block::bordered().title(format!(" {} ", spend.month.format("%B %Y")));
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn signed(change: Money) -> String {
    if change.is_positive() { format!("▲ +{}", change.human()) } else { format!("▼ {}", change.human()) }
}

fn movers(model: &Model, spend: &Spend, frame: &mut Frame<'_>, area: Rect) {
    let block = Block::bordered().title(" Movers of the week ");
    let Some(week) = &spend.week else {
        let few = "Too few days to compare two weeks.";
        frame.render_widget(Paragraph::new(few).block(block), area);
        return;
    };
    let theme = Theme::of(model);
    let row = |mover: &Mover| {
        let style = if mover.change.is_positive() { theme.warn() } else { theme.good() };
        Row::new([
            Line::styled(signed(mover.change), style).alignment(Alignment::Right),
            Line::from(mover.usage_type.terminal()),
            Line::from(text::terminal(mover.driver.as_str())),
        ])
    };
    let widths = [Constraint::Length(12), Constraint::Fill(1), Constraint::Length(7)];
    frame.render_widget(Table::new(week.movers.iter().map(row), widths).block(block), area);
}

fn savings(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let (theme, totals) = (Theme::of(model), &model.assessment.totals);
    let headline = format!("{} a month", totals.headline_low.human());
    let mut lines = vec![
        Line::from(vec![Span::raw("at least "), Span::styled(headline, theme.title())]),
        Line::styled(format!("  of {}", totals.recommended.human()), Theme::faint()),
        Line::from(format!("{:>5} recommended", totals.recommended_count)),
        Line::from(format!("{:>5} possible, not counted", totals.possible_count)),
        Line::from(format!("{:>5} without a number", totals.unknown_count)),
        Line::from(format!("{:>5} new", totals.new_count)),
    ];
    if let Some(blind) = model.assessment.blind.usd.filter(|usd| usd.is_positive()) {
        lines.push(Line::styled(format!("gaps hide {} a month", blind.human()), theme.warn()));
    }
    frame.render_widget(Paragraph::new(lines).block(Block::bordered().title(" Savings ")), area);
}
