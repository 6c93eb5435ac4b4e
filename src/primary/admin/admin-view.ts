import type { ExpositionFormat } from '../../telemetry/exposition/family-text.ts';
import type { Steps } from '../../core/timing/steps.ts';
import type { AdminCommand } from './commands/admin-command.ts';
import type { PageText } from './pages/page-body.ts';

/** The parts of the process that the admin server shows and controls. */
export interface AdminView {
  readonly metrics: (format: ExpositionFormat) => Promise<PageText>;
  /** Returns why the process must be replaced; null if it is live. */
  readonly notLive: () => string | null;
  /** Returns why the process should get no traffic; null if it is ready. */
  readonly notReady: () => string | null;
  readonly status: () => PageText;
  /** Writes the JSON of a frame of `GET /live`. */
  readonly live: () => Steps<string>;
  readonly commands: readonly AdminCommand[];
  /** The token that commands require; null to refuse commands. A reload can change it. */
  readonly token: string | null;
  /** Host names in lower case that requests may use, besides IP addresses and `localhost`. */
  readonly hosts: readonly string[];
}
