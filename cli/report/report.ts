/** `r1 report`. */
import { mkdir } from 'node:fs/promises';
import { dirname, extname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { writeAtomically } from '../../infra/machine/atomic-file.ts';
import { readSettings } from '../../infra/settings.ts';
import { InputError } from '../errors.ts';
import { examples, jsonOption, printDocument, printLine, RUN } from '../output/output.ts';
import { workflowUrl } from '../run/workflow-client.ts';
import { withConnections } from '../stack/connections.ts';

interface Options {
  out?: string;
  paper?: boolean;
  json?: boolean;
}

export const commands = { report: defineReport };

function defineReport(command: Command): void {
  command
    .description(
      'Write a report of a run, finished or not: evaluated policies, curves, answers of each stage, data, cost, ' +
        'alarms. One self-contained HTML page, and a summary in Markdown next to it.',
    )
    .argument(...RUN)
    .option('--out <file>', 'the page (default: reports/RUN.html in R1_HOME)')
    .option('--paper', 'show the paper’s numbers, even if the recipe does not ask for them')
    .option(...jsonOption('report'))
    .addHelpText('after', examples('r1 report', 'r1 report nano-r1-1 --out r1.html'))
    .action(report);
}

async function report(name: string | undefined, { out, json, paper }: Options): Promise<void> {
  if (out !== undefined) refuseOther(out);
  const [{ gatherReport }, { reportPage }, { reportSummary }] = await Promise.all([
    import('./gather.ts'),
    import('./page.ts'),
    import('./summary.ts'),
  ]);
  await withConnections(async ({ database, objects, stack }) => {
    const sources = {
      database: await database(),
      objects: await objects(),
      link: (workflowId: string) => workflowUrl(stack, workflowId),
    };
    const data = await gatherReport(sources, name, { paper: paper === true });
    const { run } = data.show;
    const page = resolve(out ?? join(readSettings().home, 'reports', `${run}.html`));
    const summary = `${page.slice(0, -extname(page).length)}.md`;
    await mkdir(dirname(page), { recursive: true });
    writeAtomically(page, reportPage(data));
    writeAtomically(summary, reportSummary(data));
    if (json) printDocument('report', { run, page, summary });
    else printLine(`${page}\n${summary}`);
  });
}

function refuseOther(out: string): void {
  if (['.html', '.htm'].includes(extname(out))) return;
  throw new InputError(
    `--out ${out}: expected a name that ends in .html, as the summary is written next to it as .md`,
  );
}
