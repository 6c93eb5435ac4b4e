/** Takes out of a recording what must not be passed on. */
import { UsageError } from '../../core/errors.ts';
import { RuleError } from '../../core/redaction/redaction-rule.ts';
import { REDACTED, compileRedaction, type Redaction } from '../../wire/redaction/redaction.ts';
import type { RecordLine } from '../../wire/recording/recording-reader.ts';
import type { FrameRecord, SessionRecord, TapRecord } from '../../wire/recording/records.ts';

/** Applies rules to the lines of a recording, as the proxy does to those of a tap. */
export class RecordRedactor {
  readonly #rules: readonly string[];
  readonly #redaction: Redaction;

  /** @throws UsageError for a bad rule */
  constructor(rules: readonly string[]) {
    this.#rules = rules;
    this.#redaction = compileOptions(rules);
  }

  /** Returns the same line if no rule matches. A line of a type that is not known may have anything: it is left out. */
  redact(line: RecordLine): RecordLine | null {
    if (this.#rules.length === 0) return line;
    if (line.record === null) return null;
    const record = this.#redacted(line.record);
    return record === line.record ? line : { text: JSON.stringify(record), record };
  }

  #redacted(record: TapRecord): TapRecord {
    switch (record.type) {
      case 'tap':
        return { ...record, redact: [...record.redact, ...this.#rules] };
      case 'session':
        return this.#session(record);
      case 'frame':
        return this.#frame(record);
      case 'end': {
        const { reason } = record;
        return reason === undefined ? record : { ...record, reason: this.#text(reason) };
      }
      case 'tunnel':
      case 'bytes':
      case 'lost':
      case 'done':
        return record;
    }
  }

  #session(record: SessionRecord): SessionRecord {
    const { request, subprotocol } = record;
    if (request === undefined && subprotocol === undefined) return record;
    return {
      ...record,
      ...(request !== undefined && { request: this.#request(request) }),
      ...(subprotocol !== undefined && { subprotocol: this.#text(subprotocol) }),
    };
  }

  #request({
    target,
    headers,
  }: NonNullable<SessionRecord['request']>): NonNullable<SessionRecord['request']> {
    return {
      target: this.#text(target),
      headers: headers.map(([name, value]) => [name, this.#text(value)] as const),
    };
  }

  #frame(record: FrameRecord): FrameRecord {
    const { text, base64, ...rest } = record;
    if (text === undefined && base64 === undefined) return record;
    // A rule may match only with what is missing.
    if (record.cut === true) return withheld(rest);
    if (text !== undefined) {
      const redacted = this.#redaction.redactText(text);
      if (redacted === null) return withheld(rest);
      return redacted === text ? record : { ...rest, text: redacted, redacted: true };
    }
    const bytes = Buffer.from(base64 ?? '', 'base64');
    const redacted = this.#redaction.redactBytes(bytes);
    if (redacted === null) return withheld(rest);
    if (redacted === bytes) return record;
    return { ...rest, base64: Buffer.from(redacted).toString('base64'), redacted: true };
  }

  /** A text that would cost too much goes as a whole. */
  #text(text: string): string {
    return this.#redaction.redactText(text) ?? REDACTED;
  }
}

function withheld({ cut: _, ...rest }: Omit<FrameRecord, 'text' | 'base64'>): FrameRecord {
  return { ...rest, withheld: 'too_long' };
}

/** The proxy would refuse a bad rule, too: but not with the name of the option. */
function compileOptions(rules: readonly string[]): Redaction {
  for (const rule of rules) {
    try {
      compileRedaction([rule]);
    } catch (error) {
      if (error instanceof RuleError) throw new UsageError(`--redact ${rule}: ${error.message}`);
      throw error;
    }
  }
  return compileRedaction(rules);
}
