/** Exposition of metrics in the Prometheus text format and in OpenMetrics. */
import { FamilyText, labelText, type ExpositionFormat } from './family-text.ts';
import type { Family, Sample, WrittenFamily } from './family.ts';
import { observeProcess, readProcessFamilies, type ReadFamily } from './process-families.ts';

const CONTENT_TYPES: Readonly<Record<ExpositionFormat, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openMetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

interface ExpositionSettings {
  /** Whether to show the series of each endpoint. */
  readonly endpoints: boolean;
}

/** An exposition rendered lazily, piece by piece. */
interface ExpositionText {
  readonly type: string;
  /** The text in small pieces. The event loop may run between two pieces. */
  readonly pieces: Iterable<string>;
}

/** Renders families, followed by the metrics of the process and of Node. */
export class Exposition {
  readonly #families: readonly (Family | WrittenFamily)[];

  constructor(families: readonly (Family | WrittenFamily)[]) {
    this.#families = families;
    observeProcess();
  }

  /** Starts a rendering. */
  async begin(format: ExpositionFormat, { endpoints }: ExpositionSettings): Promise<ExpositionText> {
    const shown = this.#families.filter(({ metric }) => endpoints || !metric.labels.includes('endpoint'));
    const pieces = piecesOf(shown, await readProcessFamilies(), format);
    return { type: CONTENT_TYPES[format], pieces };
  }
}

function* piecesOf(
  families: readonly (Family | WrittenFamily)[],
  processFamilies: readonly ReadFamily[],
  format: ExpositionFormat,
): Iterable<string> {
  // The text format has an empty line between families. OpenMetrics has none.
  const separator = format === 'text' ? '\n' : '';
  let before = '';
  for (const family of families) {
    const text = new FamilyText(family.metric, format);
    yield before + text.head;
    yield* 'write' in family ? family.write(text) : samplesIn(text, family.read());
    before = separator;
  }
  for (const { name, help, type, values } of processFamilies) {
    const text = new FamilyText({ name, help, kind: type }, format);
    yield before + text.head;
    yield* samplesIn(text, values);
    before = separator;
  }
  if (format === 'openMetrics') yield '# EOF\n';
}

function* samplesIn(text: FamilyText, samples: Iterable<Sample>): Iterable<string> {
  for (const { metricName, labels, value } of samples) {
    const { le } = labels;
    const canonical = le === undefined || le === '+Inf' ? labels : { ...labels, le: text.bound(Number(le)) };
    yield text.line(labelText(canonical), value, metricName);
  }
}
