/* Lists the figures in which another proxy is better. */
'use strict';

/** Less is within the noise of a run. */
const LOSS = 1.05;
const LOSS_FIGURES = [
  { key: 'cpu', title: 'CPU for each', text: (value) => `${value.toFixed(2)} µs`, better: (a, b) => a / b },
  { key: 'rate', title: 'a second', text: count, better: (a, b) => b / a },
  { key: 'p99', title: 'p99', text: time, better: (a, b) => a / b },
];

/** Shows each figure of sluice that is worse than the best of the others, the worst first. */
function showLosses(summaries) {
  section(
    'losses',
    'Where sluice loses',
    `Figures of its default engine that are more than ${Math.round((LOSS - 1) * 100)}% worse than the best of the other proxies.`,
  );
  const rows = summaries.flatMap(({ name, ways }) =>
    LOSS_FIGURES.flatMap(({ key, title, text, better }) => {
      const own = ways.sluice?.[key];
      const others = Object.entries(ways)
        .filter(([way, figures]) => way !== 'direct' && !way.startsWith('sluice') && figures[key])
        .map(([way, figures]) => ({ way, value: figures[key], ratio: better(own, figures[key]) }))
        .sort((a, b) => b.ratio - a.ratio);
      if (!own || others.length === 0 || others[0].ratio < LOSS) return [];
      const [{ way, value, ratio }] = others;
      return [{ ratio, cells: [name, ratio.toFixed(2), title, text(own), `${text(value)} (${way})`] }];
    }),
  );
  rows.sort((a, b) => b.ratio - a.ratio);
  table(
    main,
    ['', 'times as bad', 'figure', 'sluice', 'the best'],
    rows.map(({ cells }) => cells),
  );
}
