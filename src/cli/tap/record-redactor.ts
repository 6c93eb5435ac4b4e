/** Removes secrets from a recording. */
import { UsageError } from '../../core/errors.ts';
import { RuleError } from '../../core/redaction/redaction-rule.ts';
import { REDACTED, compileRedaction, type Redaction } from '../../wire/redaction/redaction.ts';
import type { RecordLine } from '../../wire/recording/recording-reader.ts';
import type { FrameRecord, SessionRecord, TapRecord } from '../../wire/recording/records.ts';

/** Applies redaction rules to the lines of a recording, as the proxy does for a tap. */
export class RecordRedactor {
  readonly #rules: readonly string[];
  readonly #redaction: Redaction;

  /** @throws UsageError if a rule is not valid */
  constructor(rules: readonly string[]) {
    this.#rules = rules;
    this.#redaction = compileOptions(rules);
  }

  /** Returns the same line if no rule matches. Drops lines of unknown types, which may contain anything. */
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
    // A rule might match only together with the missing part.
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

  /** Replaces the whole text if the rules would cost too much. */
  #text(text: string): string {
    return this.#redaction.redactText(text) ?? REDACTED;
  }
}

function withheld({ cut: _, ...rest }: Omit<FrameRecord, 'text' | 'base64'>): FrameRecord {
  return { ...rest, withheld: 'too_long' };
}

/** Compiles the rules of `--redact`. The proxy would refuse a bad rule too, but without naming the option. */
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
