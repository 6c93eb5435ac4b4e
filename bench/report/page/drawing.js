/* Helpers for every part of the page: elements, figures, tables and bar charts. */
'use strict';

const main = document.getElementById('main');
const COLOURS = {
  sluice: '#0a7cff',
  'sluice-uws': '#75b5ff',
  nginx: '#16a34a',
  HAProxy: '#8b5cf6',
  Caddy: '#0ea5b7',
  'Apache httpd': '#d0437a',
  'http-proxy-3': '#d97706',
  httpxy: '#a16207',
  direct: '#8a94a3',
};
const narrow = matchMedia('(max-width: 640px)').matches;
const dark = matchMedia('(prefers-color-scheme: dark)').matches;
Chart.defaults.animation = false;
Chart.defaults.maintainAspectRatio = false;
Chart.defaults.color = dark ? '#9aa4b2' : '#5c6570';
Chart.defaults.borderColor = dark ? '#2b3038' : '#e8eaee';
Chart.defaults.font.family = 'system-ui, sans-serif';
Chart.defaults.font.size = narrow ? 11 : 12;
Chart.defaults.plugins.legend.labels.boxWidth = 12;
Chart.defaults.plugins.legend.position = 'bottom';

function add(parent, name, properties = {}, text) {
  const element = document.createElement(name);
  Object.assign(element, properties);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

function section(id, title, text) {
  add(document.getElementById('contents'), 'a', { href: `#${id}` }, title);
  add(main, 'h2', { id }, title);
  if (text) add(main, 'p', {}, text);
  return main;
}

function card(parent, title, text, tall = false) {
  const box = add(parent, 'div', { className: 'card' });
  add(box, 'h3', {}, title);
  if (text) add(box, 'p', {}, text);
  return add(add(box, 'div', { className: tall ? 'plot tall' : 'plot' }), 'canvas');
}

function grid() {
  return add(main, 'div', { className: 'grid' });
}

function median(values) {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function time(ms) {
  if (ms === null || ms === undefined) return '';
  if (ms < 1) return `${(ms * 1000).toPrecision(3)} µs`;
  return ms < 1000 ? `${ms.toPrecision(3)} ms` : `${(ms / 1000).toPrecision(3)} s`;
}

function count(value) {
  return Math.round(value).toLocaleString('en');
}

function table(parent, titles, rows, better = {}) {
  const box = add(parent, 'div', { className: 'scroll' });
  const element = add(box, 'table');
  const head = add(add(element, 'thead'), 'tr');
  for (const title of titles) add(head, 'th', {}, title);
  const body = add(element, 'tbody');
  const best = Object.entries(better).map(([column, order]) => {
    const values = rows.map((row) => row[column].value).filter((value) => Number.isFinite(value));
    return [Number(column), order === 'low' ? Math.min(...values) : Math.max(...values)];
  });
  for (const row of rows) {
    const line = add(body, 'tr');
    row.forEach((cell, column) => {
      const isBest = best.some(([of, value]) => of === column && cell.value === value);
      add(line, 'td', { className: isBest ? 'best' : '' }, cell.text ?? cell);
    });
  }
}

function bars(canvas, labels, sets, unit, horizontal = narrow) {
  const value = { title: { display: true, text: unit }, beginAtZero: true };
  const name = { ticks: { autoSkip: false } };
  new Chart(canvas, {
    type: 'bar',
    data: {
      labels,
      datasets: sets.map(({ name: label, values }) => ({
        label,
        data: values,
        backgroundColor: COLOURS[label] ?? '#8a94a3',
      })),
    },
    options: {
      indexAxis: horizontal ? 'y' : 'x',
      scales: horizontal ? { x: value, y: name } : { x: name, y: value },
      plugins: { legend: { display: sets.length > 1 } },
    },
  });
}

function peerBars(canvas, values, unit) {
  const names = Object.keys(values);
  new Chart(canvas, {
    type: 'bar',
    data: {
      labels: names,
      datasets: [
        {
          label: unit,
          data: names.map((name) => values[name]),
          backgroundColor: names.map((name) => COLOURS[name] ?? '#8a94a3'),
        },
      ],
    },
    options: {
      indexAxis: 'y',
      scales: { x: { title: { display: true, text: unit }, beginAtZero: true } },
      plugins: { legend: { display: false } },
    },
  });
}
