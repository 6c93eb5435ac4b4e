/** The Markdown of docs/reference/commands.md. */
import { format, resolveConfig } from 'prettier';
import { COMMANDS } from '../../src/cli/command-line/commands.ts';
import { usage } from '../../src/cli/usage.ts';

const BEGIN = '<!-- Made by npm run docs:reference. -->';

/** Returns the expected page: its hand-written text, and the help of every command. */
export async function commandsPage(page: string, file: string): Promise<string> {
  const [text = ''] = page.split(BEGIN);
  const parts = [text.trimEnd(), BEGIN, '## sluice', block(usage(null))];
  for (const command of COMMANDS) parts.push(`## sluice ${command}`, block(usage(command)));
  return format(parts.join('\n\n'), { ...(await resolveConfig(file)), parser: 'markdown' });
}

function block(text: string): string {
  return `\`\`\`text\n${text.trimEnd()}\n\`\`\``;
}
