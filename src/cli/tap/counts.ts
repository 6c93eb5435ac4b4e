/** Counts what a tap or a recording has shown. */
import type { TapRecord } from '../../wire/recording/records.ts';

export class TapCounts {
  sessions = 0;
  tunnels = 0;
  /** Includes reads of tunnels. */
  frames = 0;
  lostFrames = 0;
  lostSessions = 0;
  lostLines = 0;

  add(record: TapRecord): void {
    switch (record.type) {
      case 'session':
        this.sessions++;
        break;
      case 'tunnel':
        this.tunnels++;
        break;
      case 'frame':
      case 'bytes':
        this.frames++;
        break;
      case 'lost':
        this.lostFrames += record.frames;
        this.lostSessions += record.sessions;
        this.lostLines += record.lines;
        break;
      case 'tap':
      case 'end':
      case 'done':
    }
  }

  /** Formats the counts as a phrase: `2 sessions, 40 frames, LOST 3 frames`. */
  text(): string {
    const lost = [
      this.lostFrames > 0 ? plural(this.lostFrames, 'frame') : null,
      this.lostSessions > 0 ? plural(this.lostSessions, 'session') : null,
      this.lostLines > 0 ? plural(this.lostLines, 'line') : null,
    ].filter((part) => part !== null);
    const parts = [
      plural(this.sessions, 'session'),
      this.tunnels > 0 ? plural(this.tunnels, 'tunnel') : null,
      plural(this.frames, 'frame'),
      lost.length === 0 ? 'none lost' : `LOST ${lost.join(' and ')}`,
    ];
    return parts.filter((part) => part !== null).join(', ');
  }
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
