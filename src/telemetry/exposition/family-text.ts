/**
 * Lines of the Prometheus text format 0.0.4 and of OpenMetrics 1.0.0
 * (https://prometheus.io/docs/instrumenting/exposition_formats/,
 * https://prometheus.io/docs/specs/om/open_metrics_spec/).
 */
import type { BucketExemplars, Exemplar } from './exemplar-store.ts';

export type ExpositionFormat = 'text' | 'openMetrics';

interface FamilyHead {
  readonly name: string;
  readonly help: string;
  /** Type of the family, such as `counter`. */
  readonly kind: string;
}

/** Writes the lines of one family. */
export class FamilyText {
  /** The `HELP` and `TYPE` lines. */
  readonly head: string;
  readonly #name: string;
  /** Whether the format allows exemplars. */
  readonly takesExemplars: boolean;
  readonly #isOpenMetrics: boolean;
  /** Bucket labels by bound: every series of a histogram has the same. */
  readonly #bucketLabels = new Map<number, string>();

  constructor({ name, help, kind }: FamilyHead, format: ExpositionFormat) {
    this.#name = name;
    this.#isOpenMetrics = format === 'openMetrics';
    this.takesExemplars = this.#isOpenMetrics;
    // In OpenMetrics, `_total` is a suffix of the samples, not part of the family's name.
    const family = this.#isOpenMetrics && kind === 'counter' ? name.replace(/_total$/, '') : name;
    const escaped = this.#isOpenMetrics ? escapeValue(help) : escapeHelp(help);
    this.head = `# HELP ${family} ${escaped}\n# TYPE ${family} ${kind}\n`;
  }

  /**
   * Returns one sample's line.
   *
   * @param labels the result of {@link labelText}
   * @returns a line with its newline; empty for NaN, which means that nothing was measured
   */
  line(labels: string, value: number, name = this.#name): string {
    if (Number.isNaN(value)) return '';
    return labels === '' ? `${name} ${numberText(value)}\n` : `${name}{${labels}} ${numberText(value)}\n`;
  }

  /** Returns the bound of a histogram's bucket. OpenMetrics requires a float: `1.0`, not `1`. */
  bound(le: number): string {
    const text = numberText(le);
    return this.#isOpenMetrics && /^\d+$/.test(text) ? `${text}.0` : text;
  }

  /**
   * Returns the lines of a histogram.
   *
   * @param labels the result of {@link labelText}
   * @param counts observations per bucket, not cumulative; the last entry is for values above the last bound
   * @param exemplars exemplars per bucket, only if {@link takesExemplars}
   */
  histogram(
    labels: string,
    bounds: readonly number[],
    counts: readonly number[],
    sum: number,
    exemplars: BucketExemplars = [],
  ): string {
    const name = this.#name;
    const before = labels === '' ? '' : `${labels},`;
    let text = '';
    let count = 0;
    for (let index = 0; index < counts.length; index++) {
      count += counts[index]!;
      const le = this.#bucketLabel(bounds[index] ?? Infinity);
      text += `${name}_bucket{${before}${le}} ${numberText(count)}${exemplarText(exemplars[index])}\n`;
    }
    return text + this.line(labels, sum, `${name}_sum`) + this.line(labels, count, `${name}_count`);
  }

  #bucketLabel(bound: number): string {
    const known = this.#bucketLabels.get(bound);
    if (known !== undefined) return known;
    const text = `le="${this.bound(bound)}"`;
    this.#bucketLabels.set(bound, text);
    return text;
  }
}

/** Returns labels as they appear between a sample's braces. */
export function labelText(labels: Readonly<Record<string, string | number>>): string {
  let text = '';
  for (const name in labels) {
    const value = labels[name]!;
    const separator = text === '' ? '' : ',';
    text += `${separator}${name}="${typeof value === 'string' ? escapeValue(value) : value}"`;
  }
  return text;
}

/** Returns the exemplar after a bucket's value. Empty without one. */
function exemplarText(exemplar: Exemplar | undefined): string {
  if (exemplar === undefined) return '';
  const { value, traceId, at } = exemplar;
  return ` # {trace_id="${traceId}"} ${numberText(value)} ${(at / 1000).toFixed(3)}`;
}

function numberText(value: number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

const ESCAPED = /[\\"\n]/;

function escapeValue(text: string): string {
  return ESCAPED.test(text) ? escapeHelp(text).replaceAll('"', '\\"') : text;
}
