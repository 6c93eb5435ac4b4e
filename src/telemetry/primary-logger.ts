import { pino } from 'pino';
import { boundedFields, clip, errorFields } from './line-fields.ts';
import type { Logger, LoggerSettings } from './logger.ts';
import type { LogOutputs } from './output/log-outputs.ts';

/** Creates the primary's logger. */
export function createLogger(settings: LoggerSettings, output: Pick<LogOutputs, 'write'>): Logger {
  return pino(
    {
      level: settings.level,
      base: {},
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: boundedFields },
      serializers: { err: errorFields, msg: clipMessage },
    },
    output,
  );
}

/** Truncates a long message. pino's types allow any value as a message. */
function clipMessage(message: unknown): unknown {
  return typeof message === 'string' ? clip(message) : message;
}
