import type { ChartConfiguration } from 'chart.js';
import { formatCompact, formatNumber } from '../../units.ts';
import { decorations } from './decorations.ts';
import type { Figure, Unit } from './figure.ts';
import { type Layout, layOut, MARGIN, TICK_SIZE } from './layout.ts';
import type { Theme } from './palette.ts';
import { fontOptions, printable } from './text.ts';

const BAR_SHARE = 0.92;

/**
 * A figure as a chart.js configuration: chart.js makes scales, grid and bars, a plugin draws what it has no notion of
 * (patterns, gaps, error bars, values, two-tier axis, notes).
 */
export function groupedBars(
  figure: Figure,
  theme: Theme,
): { layout: Layout; config: ChartConfiguration<'bar'> } {
  const layout = layOut(figure);
  const config: ChartConfiguration<'bar'> = {
    type: 'bar',
    data: {
      labels: figure.categories.map(({ label }) => label.map(printable)),
      datasets: figure.series.map(({ name, marks }) => ({
        label: name,
        data: marks.map((mark) => (mark.kind === 'bar' ? mark.value : null)),
        backgroundColor: 'transparent',
        categoryPercentage: layout.groupShare,
        barPercentage: BAR_SHARE,
      })),
    },
    options: {
      responsive: false,
      animation: false,
      events: [],
      layout: { padding: { top: layout.header, bottom: layout.footer, left: MARGIN, right: MARGIN } },
      plugins: { legend: { display: false }, title: { display: false }, tooltip: { enabled: false } },
      scales: {
        x: {
          border: { color: theme.axis },
          grid: { display: false },
          ticks: {
            autoSkip: false,
            minRotation: 0,
            maxRotation: 0,
            color: theme.text,
            font: fontOptions(TICK_SIZE),
          },
        },
        y: {
          beginAtZero: true,
          max: layout.top,
          border: { display: false },
          grid: { color: theme.grid, drawTicks: false },
          ticks: {
            color: theme.muted,
            font: fontOptions(11),
            maxTicksLimit: 7,
            includeBounds: false,
            padding: 8,
            callback: (value) => (Number(value) === 0 ? '0' : FORMAT_TICK[figure.unit](Number(value))),
          },
          afterFit: (scale) => {
            scale.width = layout.scaleWidth;
          },
        },
      },
    },
    plugins: [decorations(figure, layout, theme)],
  };
  return { layout, config };
}

/** Ticks are round numbers: shorter than values, 0.5× and not 0.500×. */
const FORMAT_TICK: Readonly<Record<Unit, (value: number) => string>> = {
  'tokens/s': (rate) => formatCompact(rate).replace(/\.0+$/, ''),
  ratio: (ratio) => `${ratio >= 1000 ? formatNumber(ratio) : Number(ratio.toPrecision(6))}×`,
  share: (share) => `${Number((share * 100).toPrecision(6))} %`,
};
