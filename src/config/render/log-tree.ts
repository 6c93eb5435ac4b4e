import { formatByteSize } from '../../core/units/byte-size.ts';
import { formatDuration } from '../../core/units/duration.ts';
import type { AccessLogSettings, LogSettings } from '../types/config.ts';
import { without, type Tree } from './tree.ts';

/** Renders the key `log`. */
export function logTree({ access, maxSizeBytes, keep, ...log }: LogSettings): Tree {
  return without({
    ...log,
    access: access === null ? false : accessTree(access),
    ...rotationTree({ maxSizeBytes, keep }),
  });
}

function accessTree({ file, format, sample, fields, slowMs, ...rotation }: AccessLogSettings): Tree {
  return without({
    file,
    format,
    sample,
    fields: fields === null ? null : [...fields],
    slow: formatDuration(slowMs),
    ...rotationTree(rotation),
  });
}

/** Renders the rotation keys, which the loader refuses without a size or a file. */
function rotationTree({ maxSizeBytes, keep }: Pick<LogSettings, 'maxSizeBytes' | 'keep'>): Tree {
  return maxSizeBytes === 0 ? {} : { maxSize: formatByteSize(maxSizeBytes), keep };
}
