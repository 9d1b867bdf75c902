/** The report as Markdown: tables and text, without charts and answers. */

import { dateTime, percent } from '../output/figures.ts';
import { figureColumns } from '../output/output.ts';
import { eventsOf, rankingsText } from '../run/show.ts';
import type { Bar } from './chart.ts';
import { costTable, factsOf, funnelBars, wallSecondsOf } from './facts.ts';
import { domainRows, policiesOf, policyRows, samplingNote } from './policies.ts';
import type { ReportData, StageFunnel } from './report-data.ts';

export function reportSummary(data: ReportData): string {
  const { show, description, links, withPaper } = data;
  const measured = policiesOf(data);
  const [policies, domains] = [policyRows(measured, { withPaper }), domainRows(measured)];
  const costs = costTable(data.costs, { wallSeconds: wallSecondsOf(data), budgets: data.budgets });
  const parts = [
    `# ${inline(show.run)}`,
    inline(description),
    `**${factsOf(data).join(' · ')}**`,
    `Recipe ${inline(show.recipe)}, seed ${show.seed}; ${show.status}; started ${dateTime(show.startedAt)}.` +
      (links.run === null ? '' : ` [In the Temporal UI](${links.run}).`),
    withPaper ? '## The paper’s table for this run' : '## The policies of this run',
    table(policies.head, policies.rows),
    samplingNote(data),
    ...(domains === null ? [] : ['### pass@1 by domain', table(domains.head, domains.rows)]),
    ...rankingsText(show.stages),
    ...(data.funnels.length === 0 ? [] : ['## From samples to data', ...data.funnels.map(funnelText)]),
    '## Cost by stage',
    table(costs.head, costs.rows),
    '## Stages and checkpoints',
    table(
      ['stage', 'status', 'step', 'checkpoint'],
      show.stages.map(({ stage, status, step, steps, checkpoint }) => [
        stage,
        status,
        `${step}/${steps}`,
        checkpoint === null ? '–' : `\`${checkpoint.uri}\``,
      ]),
    ),
    '## Alarms and changes',
    eventsOf(show)
      .map(({ stage, step, text }) => `- ${stage}, step ${step}: ${inline(text)}`)
      .join('\n') || 'None.',
  ];
  return `${parts.join('\n\n')}\n`;
}

function funnelText(funnel: StageFunnel): string {
  const { stage, from, counts } = funnel;
  const share = counts.sampled === 0 ? '' : ` (${percent(counts.kept / counts.sampled)})`;
  const bars = (kind: Bar['kind']) => funnelBars(funnel).filter((bar) => bar.kind === kind);
  const list = (kind: Bar['kind'], between: string) =>
    bars(kind)
      .map(({ name, value }) => `${name} ${value}`)
      .join(between);
  const others = [list('refused', ', '), list('joined', ', ')].filter((text) => text !== '');
  return [`${stage}, sampled by the policy of ${from}: ${list('left', ' → ')}${share}`, ...others].join('; ');
}

/** User text on one line, with Markdown escaped. */
const inline = (text: string) => text.replaceAll(/\s+/g, ' ').replaceAll(/[\\`*_[\]<>|#]/g, '\\$&');

/** Text columns are aligned left, numeric ones right. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rule = figureColumns(head, rows).map((isFigure) => (isFigure ? '---:' : '---'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}
