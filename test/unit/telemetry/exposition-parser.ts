/** A strict parser of both exposition formats. It refuses unknown syntax and every violation of a rule. */
import assert from 'node:assert/strict';

export interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ParsedFamily {
  readonly type: string;
  readonly help: string;
  readonly samples: readonly ParsedSample[];
}

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/gy;
const VALUE = /^(?:[+-]Inf|NaN|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;
const SUFFIXES: Readonly<Record<string, readonly string[]>> = {
  counter: [''],
  gauge: [''],
  histogram: ['_bucket', '_sum', '_count'],
};

/** Reads a whole exposition into its families by name. */
export function parseExposition(text: string, format: 'text' | 'openmetrics'): Map<string, ParsedFamily> {
  const families = new Map<string, { type: string; help: string; samples: ParsedSample[] }>();
  let current: { name: string; type: string; help: string; samples: ParsedSample[] } | undefined;
  assert.ok(text.endsWith('\n'), 'ends in a newline');
  const lines = text.slice(0, -1).split('\n');
  if (format === 'openmetrics') assert.equal(lines.pop(), '# EOF');
  const seen = new Set<string>();
  for (const line of lines) {
    if (line === '') {
      assert.equal(format, 'text', 'OpenMetrics has no empty lines');
      continue;
    }
    const help = /^# HELP (\S+) (.+)$/.exec(line);
    const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
    if (help !== null) {
      const [, name = '', words = ''] = help;
      assert.ok(!families.has(name), `one HELP for ${name}`);
      current = { name, type: '', help: words, samples: [] };
      families.set(name, current);
    } else if (type !== null) {
      const [, name = '', kind = ''] = type;
      assert.ok(current?.name === name, `TYPE of ${name} follows its HELP`);
      assert.equal(current.type, '', `one TYPE for ${name}`);
      current.type = kind;
    } else {
      assert.ok(
        current !== undefined && current.type !== '',
        `HELP and TYPE come before the sample: ${line}`,
      );
      const sample = parseSample(line);
      const counter = format === 'openmetrics' && current.type === 'counter';
      const suffixes = counter ? ['_total'] : SUFFIXES[current.type]!;
      const allowed = suffixes.map((suffix) => `${current?.name}${suffix}`);
      assert.ok(allowed.includes(sample.name), `${sample.name} belongs to the family ${current.name}`);
      const key = `${sample.name}${JSON.stringify(Object.entries(sample.labels).sort())}`;
      assert.ok(!seen.has(key), `one sample per series: ${line}`);
      seen.add(key);
      current.samples.push(sample);
    }
  }
  for (const [name, family] of families) {
    assert.notEqual(family.type, '', `${name} has a TYPE`);
    if (family.type === 'counter') {
      assert.equal(
        name.endsWith('_total'),
        format === 'text',
        `a counter's name ends with _total in the text format only: ${name}`,
      );
      for (const { value } of family.samples) assert.ok(value >= 0, `${name} is not negative`);
    }
    if (family.type === 'histogram') checkHistogram(name, family.samples, format);
  }
  return families;
}

function parseSample(line: string): ParsedSample {
  const match = SAMPLE.exec(line);
  assert.ok(match !== null, `a valid sample: ${line}`);
  const [, name = '', labelText = '', value = ''] = match;
  assert.match(value, VALUE);
  const labels: Record<string, string> = {};
  let end = 0;
  for (const [whole, label = '', text = ''] of labelText.matchAll(LABEL)) {
    assert.ok(!(label in labels), `one label ${label} in ${line}`);
    labels[label] = text.replace(/\\(.)/g, (_, letter: string) => (letter === 'n' ? '\n' : letter));
    end += whole.length;
  }
  assert.equal(end, labelText.length, `valid labels: ${line}`);
  return { name, labels, value: Number(value.replace('Inf', 'Infinity')) };
}

function checkHistogram(
  name: string,
  samples: readonly ParsedSample[],
  format: 'text' | 'openmetrics',
): void {
  const bySeries = new Map<string, ParsedSample[]>();
  for (const sample of samples) {
    const labels = Object.entries(sample.labels).filter(([label]) => label !== 'le');
    const key = JSON.stringify(labels.sort());
    bySeries.set(key, [...(bySeries.get(key) ?? []), sample]);
  }
  for (const [key, series] of bySeries) {
    const buckets = series.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) => Number((labels.le ?? '').replace('Inf', 'Infinity')));
    const counts = buckets.map(({ value }) => value);
    assert.deepEqual(
      bounds,
      [...bounds].sort((a, b) => a - b),
      `bounds of ${name} ${key} ascend`,
    );
    assert.deepEqual(
      counts,
      [...counts].sort((a, b) => a - b),
      `counts of ${name} ${key} never decrease`,
    );
    assert.equal(buckets.at(-1)?.labels.le, '+Inf', `${name} ${key} ends with +Inf`);
    const count = series.filter((sample) => sample.name === `${name}_count`);
    assert.deepEqual(
      count.map(({ value }) => value),
      [counts.at(-1)],
    );
    assert.equal(series.filter((sample) => sample.name === `${name}_sum`).length, 1);
    if (format === 'text') continue;
    for (const { labels } of buckets) assert.match(labels.le ?? '', /^(\+Inf|\d+\.\d+)$/);
  }
}
