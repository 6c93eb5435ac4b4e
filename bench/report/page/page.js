/* Draws the results in the page's data. Uses drawing.js and losses.js, which precede this script. */
'use strict';

const { comparison, faults, scaling } = JSON.parse(document.getElementById('data').textContent);
const REFERENCE = 'nginx';
const CURVE = [1, 10, 25, 50, 75, 90, 95, 97.5, 99, 99.5, 99.9, 99.95, 99.99];

function showComparison() {
  const { date, machine, versions, missing, rounds, durationMs, pinned, cases, idle, configs } = comparison;
  document.getElementById('machine').textContent = `${date}. ${machine}.`;
  const named = Object.entries(versions)
    .filter(([name]) => name !== 'direct')
    .map(([name, version]) => `${name} ${version}`);
  document.getElementById('versions').textContent =
    `${named.join(', ')}. Medians of ${rounds} rounds of ${(durationMs / 1000).toFixed(1)} s` +
    `${pinned ? ', proxy on one core, driver and endpoint on another' : ''}.` +
    (missing.length > 0 ? ` Not compared: ${missing.join(', ')}.` : '');
  const summaries = cases.map(({ name, ways }) => ({
    name,
    targets: Object.fromEntries(
      Object.entries(ways).map(([target, samples]) => {
        const of = (key) => median(samples.map((sample) => sample[key]));
        const curve = CURVE.map((_, index) => median(samples.map((sample) => sample.curve[index])));
        return [
          target,
          { rate: of('rate'), cpu: of('cpu'), p50: of('p50'), p99: of('p99'), p999: of('p999'), curve },
        ];
      }),
    ),
  }));
  showLosses(summaries);
  showCpu(summaries);
  showCurves(summaries);
  showCosts(summaries, idle);
  showTables(summaries);
  section('configurations', 'Configurations', 'What each peer was started with.');
  showConfigs(configs);
}

function showConfigs(configs) {
  for (const [name, text] of Object.entries(configs)) {
    const details = add(main, 'details');
    add(details, 'summary', {}, name);
    add(details, 'pre', {}, text);
  }
}

function showCpu(summaries) {
  section(
    'cpu',
    'CPU for a message',
    `CPU of the proxy for an echoed message, divided by that of ${REFERENCE}: below 1 is better.`,
  );
  const box = grid();
  for (const mode of ['ws', 'wss', 'tcp']) {
    const echoes = summaries.filter(({ name }) => name.startsWith(`${mode} echo`));
    if (echoes.length === 0) continue;
    const names = [...new Set(echoes.flatMap(({ targets }) => Object.keys(targets)))].filter(
      (name) => name !== 'direct',
    );
    const sets = names.map((name) => ({
      name,
      values: echoes.map(({ targets }) => {
        const [own, other] = [targets[name]?.cpu, targets[REFERENCE]?.cpu];
        return own && other ? Number((own / other).toFixed(3)) : null;
      }),
    }));
    const labels = echoes.map(({ name }) => name.replace(`${mode} echo `, ''));
    const titles = { ws: 'WebSocket', wss: 'WebSocket over TLS', tcp: 'TCP at layer 4' };
    bars(card(box, titles[mode], 'connections x in flight, size', true), labels, sets, `CPU / ${REFERENCE}`);
  }
}

function showCurves(summaries) {
  section('latency', 'Latency', 'Closed loop; a log axis of percentiles, as HdrHistogram draws it.');
  const box = grid();
  const canvas = card(box, 'Latency by percentile', '', true);
  const label = add(canvas.closest('.card'), 'label', {}, 'Case ');
  const select = add(label, 'select');
  for (const { name } of summaries) add(select, 'option', {}, name);
  let chart = null;
  const draw = () => {
    chart?.destroy();
    const { targets } = summaries[select.selectedIndex];
    chart = new Chart(canvas, {
      type: 'line',
      data: {
        datasets: Object.entries(targets).map(([name, { curve }]) => ({
          label: name,
          data: curve.map((y, index) => ({ x: 1 / (1 - CURVE[index] / 100), y })),
          borderColor: COLOURS[name],
          backgroundColor: COLOURS[name],
          borderDash: name === 'direct' ? [4, 4] : [],
          borderWidth: name === 'sluice' ? 3 : 1.5,
          pointRadius: 2,
          cubicInterpolationMode: 'monotone',
        })),
      },
      options: {
        interaction: { mode: 'nearest' },
        scales: {
          x: {
            type: 'logarithmic',
            min: 1,
            max: 10000,
            title: { display: true, text: 'percentile' },
            afterBuildTicks: (axis) => {
              axis.ticks = [1, 2, 10, 100, 1000, 10000].map((value) => ({ value }));
            },
            ticks: { callback: (value) => `${Number((100 - 100 / value).toFixed(2))}%` },
          },
          y: {
            type: 'logarithmic',
            title: { display: true, text: 'latency' },
            ticks: { maxTicksLimit: 8, callback: (value) => time(value) },
          },
        },
        plugins: {
          tooltip: {
            callbacks: {
              title: ([{ parsed }]) => `${Number((100 - 100 / parsed.x).toFixed(2))}%`,
              label: ({ dataset, parsed }) => `${dataset.label}: ${time(parsed.y)}`,
            },
          },
        },
      },
    });
  };
  select.addEventListener('change', draw);
  draw();
  const names = [...new Set(summaries.flatMap(({ targets }) => Object.keys(targets)))];
  const fan = summaries.find(({ name }) => name.includes('fan-out'));
  if (fan) {
    peerBars(
      card(box, 'Fan-out', `${fan.name}: deliveries a second`, true),
      Object.fromEntries(
        names.filter((name) => fan.targets[name]).map((name) => [name, Math.round(fan.targets[name].rate)]),
      ),
      'deliveries a second',
    );
  }
}

function showCosts(summaries, idle) {
  section(
    'connections',
    'Connections',
    'What a connection costs the proxy: memory while it is idle, CPU to open.',
  );
  const box = grid();
  for (const { mode, bytes } of idle) {
    const values = Object.fromEntries(
      Object.entries(bytes).map(([name, all]) => [name, Number((median(all) / 1000).toFixed(2))]),
    );
    peerBars(card(box, `Memory, ${mode}`, 'for an idle connection'), values, 'kB');
  }
  for (const { name, targets } of summaries.filter(({ name }) => name.includes('handshakes'))) {
    const values = Object.fromEntries(
      Object.entries(targets)
        .filter(([, { cpu }]) => cpu)
        .map(([target, { cpu }]) => [target, Math.round(cpu)]),
    );
    const what = name.includes('resumed') ? 'that resumes a TLS session' : '';
    peerBars(card(box, `CPU, ${name.split(' ')[0]}`, `for an opening handshake ${what}`), values, 'µs');
  }
}

function showTables(summaries) {
  section('figures', 'All figures', `Best of the proxies in green; ratios to ${REFERENCE}.`);
  for (const { name, targets } of summaries) {
    const details = add(main, 'details');
    add(details, 'summary', {}, name);
    const other = targets[REFERENCE];
    const rows = Object.entries(targets).map(([target, { rate, p50, p99, p999, cpu }]) => {
      const value = (number, text) => ({ value: target === 'direct' ? NaN : (number ?? NaN), text });
      const ratio = (own, its) => (target === 'direct' || !own || !its ? '' : (own / its).toFixed(2));
      return [
        { text: target },
        value(rate, count(rate)),
        value(p50, time(p50)),
        value(p99, time(p99)),
        value(p999, time(p999)),
        value(cpu, cpu === null ? '' : `${cpu.toFixed(2)} µs`),
        { text: ratio(rate, other?.rate) },
        { text: ratio(cpu, other?.cpu) },
      ];
    });
    const titles = [
      '',
      'a second',
      'p50',
      'p99',
      'p99.9',
      'CPU each',
      `rate / ${REFERENCE}`,
      `CPU / ${REFERENCE}`,
    ];
    table(details, titles, rows, { 1: 'high', 2: 'low', 3: 'low', 4: 'low', 5: 'low' });
  }
}

function showFaults() {
  section(
    'faults',
    'Faults',
    `What clients see while something happens to the proxy or behind it. ${faults.date}.`,
  );
  const box = grid();
  for (const { title, text, peers } of faults.scenarios) {
    const names = Object.keys(peers);
    if (names.length === 0) continue;
    const canvas = card(box, title, text);
    const parent = canvas.closest('.card');
    const timelines = names.filter((name) => peers[name].timeline.length > 0);
    if (timelines.length === 0) canvas.parentElement.remove();
    else
      drawTimeline(
        canvas,
        timelines.map((name) => [name, peers[name].timeline]),
        peers[timelines[0]].unit,
      );
    const labels = [...new Set(names.flatMap((name) => peers[name].figures.map(({ label }) => label)))];
    const rows = labels.map((label) => [
      { text: label },
      ...names.map((name) => ({ text: peers[name].figures.find((one) => one.label === label)?.text ?? '' })),
    ]);
    table(parent, ['', ...names], rows);
  }
  add(main, 'p', {}, 'How the peers were configured for them; scenarios vary endpoints, grace and timeouts.');
  showConfigs(faults.configs);
}

function drawTimeline(canvas, lines, unit) {
  new Chart(canvas, {
    type: 'line',
    data: {
      datasets: lines.map(([name, points]) => ({
        label: name,
        data: points.map(([x, y]) => ({ x, y })),
        borderColor: COLOURS[name],
        backgroundColor: COLOURS[name],
        borderWidth: name === 'sluice' ? 2.5 : 1.5,
        pointRadius: 0,
        tension: 0,
      })),
    },
    options: {
      scales: {
        x: { type: 'linear', title: { display: true, text: 'seconds, 0 is when it happens' } },
        y: { title: { display: true, text: unit }, beginAtZero: true },
      },
    },
  });
}

function showScaling() {
  section('scaling', 'Scaling', `What sessions cost, measured and fitted. ${scaling.date}.`);
  const box = grid();
  for (const { title, text, x, y, points, fit } of scaling.fits) {
    const canvas = card(box, title, text);
    const ends = [0, Math.max(...points.map(([at]) => at))];
    new Chart(canvas, {
      type: 'scatter',
      data: {
        datasets: [
          {
            label: 'measured',
            data: points.map(([at, value]) => ({ x: at, y: value })),
            backgroundColor: COLOURS.sluice,
          },
          {
            label: `${fit.text}, R² ${fit.r2.toFixed(4)}`,
            type: 'line',
            data: ends.map((at) => ({ x: at, y: fit.intercept + fit.slope * at })),
            borderColor: '#8a94a3',
            borderWidth: 1.5,
            pointRadius: 0,
          },
        ],
      },
      options: {
        scales: {
          x: { title: { display: true, text: x }, beginAtZero: true },
          y: { title: { display: true, text: y }, beginAtZero: true },
        },
      },
    });
  }
}

if (comparison) showComparison();
if (faults) showFaults();
if (scaling) showScaling();
add(main, 'footer');
