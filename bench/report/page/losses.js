/* Lists the figures in which another proxy is better. */
'use strict';

/** Min ratio for a loss against the best proxy. Smaller ratios are within the noise of a run. */
const MIN_LOSS = 1.05;
const LOSS_FIGURES = [
  { key: 'cpu', title: 'CPU each', text: (value) => `${value.toFixed(2)} µs`, loss: (a, b) => a / b },
  { key: 'rate', title: 'per second', text: count, loss: (a, b) => b / a },
  { key: 'p99', title: 'p99', text: time, loss: (a, b) => a / b },
];

/** Lists each figure in which sluice loses to the best of the other proxies, the worst first. */
function showLosses(summaries) {
  section(
    'losses',
    'Where sluice loses',
    `Figures of its default engine that are ${Math.round((MIN_LOSS - 1) * 100)}% or more worse than the best of the other proxies.`,
  );
  const rows = summaries.flatMap(({ name, targets }) =>
    LOSS_FIGURES.flatMap(({ key, title, text, loss }) => {
      const own = targets.sluice?.[key];
      const others = Object.entries(targets)
        .filter(([target, figures]) => target !== 'direct' && !target.startsWith('sluice') && figures[key])
        .map(([target, figures]) => ({ target, value: figures[key], ratio: loss(own, figures[key]) }))
        .sort((a, b) => b.ratio - a.ratio);
      if (!own || others.length === 0 || others[0].ratio < MIN_LOSS) return [];
      const [{ target, value, ratio }] = others;
      return [{ ratio, cells: [name, ratio.toFixed(2), title, text(own), `${text(value)} (${target})`] }];
    }),
  );
  rows.sort((a, b) => b.ratio - a.ratio);
  table(
    main,
    ['case', 'ratio', 'figure', 'sluice', 'best of the others'],
    rows.map(({ cells }) => cells),
  );
}
