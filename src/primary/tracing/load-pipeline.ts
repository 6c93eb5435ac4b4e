import { version } from '../../core/version.ts';
import type { LoadPipeline } from './span-desk.ts';

/** Loads OpenTelemetry's SDK, which costs memory and time, when tracing begins. Rejects if it is not installed. */
export const loadPipeline: LoadPipeline = async (settings, owner) => {
  const { SpanPipeline } = await import('./span-pipeline.ts');
  return new SpanPipeline(settings, version(), owner);
};
