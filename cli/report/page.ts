/** The report of a run as an HTML page. */
import { dateTime, percent } from '../output/figures.ts';
import { eventsOf, rankingsText } from '../run/show.ts';
import { barChart, curveChart, INKS, policiesChart } from './chart.ts';
import { type Curve, curvesOf } from './curves.ts';
import { costTable, factsOf, funnelBars, wallSecondsOf } from './facts.ts';
import { type Html, html, trusted } from './html.ts';
import { domainRows, isPublished, policiesOf, policyRows, samplingNote, type Table } from './policies.ts';
import type { AnsweredPrompt, PolicyResponse, ReportData, StageFunnel } from './report-data.ts';
import { style } from './style.ts';

/** The page fetches nothing and runs no script, whatever its texts contain. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

/** A run's report as one self-contained page. */
export function reportPage(data: ReportData): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>${data.show.run}</title>
<style>${trusted(style)}</style>
</head>
<body><main>
${headSection(data)}
${policiesSection(data)}
${curvesSection(data)}
${answersSection(data)}
${funnelSection(data)}
${costsSection(data)}
${stagesSection(data)}
${eventsSection(data)}
</main></body>
</html>
`.source;
}

function policiesSection(data: ReportData): Html {
  const { withPaper } = data;
  const policies = policiesOf(data);
  const { head, rows } = policyRows(policies, { withPaper });
  const look = (column: number) => {
    const name = head[column] ?? '';
    return name === 'policy' || name === 'stage' ? 'text' : isPublished(name) ? 'paper' : '';
  };
  const theirs = withPaper ? key('theirs', 'the paper’s, AIME 2024') : null;
  return html`<section id="policies"><h2>${withPaper ? 'The paper’s table for this run' : 'The policies of this run'}</h2>
<div class="wide"><table><thead><tr>${head.map((name, n) => html`<th class="${look(n)}">${name}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((cell, n) => html`<td class="${look(n)}">${cell}</td>`)}</tr>`)}</tbody></table></div>
<p class="note">${samplingNote(data)}${withPaper ? PAPER_NOTE : null}</p>
<figure><figcaption>pass@1 ${key('dot', 'this run, with its 95 % interval', 'background: var(--ink-1)')}${key('square', 'general ability')}${theirs}</figcaption>
<div class="wide">${policiesChart(policies, { withPaper })}</div></figure>
${domainsPart(domainRows(policies))}
${rankingsText(data.show.stages).map((lines) => html`<p class="note lines">${lines}</p>`)}</section>`;
}

const PAPER_NOTE = html` Grey, on the right: the paper’s pass@1 (AIME 2024, MATH-500) and IF-Eval, in percent. Task and models differ: only
the shape is comparable. The student is the 32B one, which has a control; 1.5B, 7B and 14B reach 28.9, 55.5 and 69.7.`;

const domainsPart = (domains: Table | null): Html | null =>
  domains === null
    ? null
    : html`<h3>pass@1 by domain</h3><div class="wide roomy">${table(domains.head, domains.rows)}</div>`;

const key = (mark: string, name: string, look = '') =>
  html`<span class="key"><i class="${mark}" style="${look}"></i>${name}</span>`;

function curvesSection(data: ReportData): Html {
  return html`<section id="curves"><h2>Curves by step</h2>
<p class="note">Lines: means over the step’s batch; the table has the values before and after each stage.${key('dot', 'held-out, whole')}${key('dot quick', 'held-out, quick')}${key('alarm', 'an alarm')}</p>
<div class="stages">${data.show.stages.map(({ stage, step, steps }) => {
    const curves = curvesOf(data, stage);
    if (curves.length === 0) return null;
    const columns = curves.length > 2 ? 'many' : 'few';
    return html`<div class="${columns}"><h3>${stage} <span class="note">${step} of ${steps} steps</span></h3><div class="curves">${curves.map(curveFigure)}</div></div>`;
  })}</div></section>`;
}

function curveFigure(curve: Curve): Html {
  const keys = curve.lines.length > 1 ? curve.lines.map(({ name }, n) => lineKey(name, n)) : [];
  return html`<figure><figcaption>${curve.title}${keys}</figcaption>${curveChart(curve)}</figure>`;
}

const lineKey = (name: string, n: number) => key('', name, `background: ${INKS[n % INKS.length]}`);

function answersSection({ answers }: ReportData): Html | null {
  if (answers.length === 0) return null;
  return html`<section id="answers"><h2>The same prompts, answered by each stage</h2>
<p class="note">The first held-out problems with the first sample of each policy, independent of the answers. Thinking is grey,
set off by a line; the final answer is below it.</p>${answers.map(answeredPrompt)}</section>`;
}

function answeredPrompt({ problem, answer, domain, responses }: AnsweredPrompt): Html {
  return html`<h3><span class="problem">${problem}</span> <span class="note">${domain}; right: <bdi>${answer}</bdi></span></h3>
<div class="answers">${responses.map(responseCard)}</div>`;
}

function responseCard({ policy, text, parts, correct }: PolicyResponse): Html {
  return html`<div class="answer"><header>${policy}${verdictMark(correct)}</header>${
    parts === null
      ? html`<div class="none">not well-formed</div><pre>${text}</pre>`
      : html`${parts.thinking === '' ? html`<div class="none">no thinking</div>` : html`<pre class="thinking">${parts.thinking}</pre>`}<pre>${parts.final}</pre>`
  }</div>`;
}

function verdictMark(correct: boolean | null): Html {
  if (correct === null) return html`<span class="none">no verdict</span>`;
  return correct ? html`<span class="right">right</span>` : html`<span class="wrong">wrong</span>`;
}

function funnelSection({ funnels }: ReportData): Html | null {
  if (funnels.length === 0) return null;
  return html`<section id="data"><h2>From samples to data</h2>
<p class="note">Rules apply in this order; the first that rejects a sample is its reason.</p>
<div class="stages">${funnels.map(funnelFigure)}</div></section>`;
}

function funnelFigure(funnel: StageFunnel): Html {
  const { stage, from, counts, rows } = funnel;
  const made = rows === null ? 'the data set is not made yet' : `${rows} rows in the data set`;
  return html`<div><h3>${stage}</h3>
<p class="note">Sampled by the policy of ${from}; ${percent(share(counts.kept, counts.sampled))} kept; ${made}.</p>
<figure>${barChart(`Samples of ${stage}`, funnelBars(funnel))}</figure></div>`;
}

const share = (part: number, whole: number) => (whole === 0 ? null : part / whole);

function costsSection(data: ReportData): Html {
  const { head, rows } = costTable(data.costs, { wallSeconds: wallSecondsOf(data), budgets: data.budgets });
  return html`<section id="cost"><h2>Cost by stage</h2><div class="wide">${table(head, rows)}</div>
<p class="note">Wall time is from start to end of a stage, including pauses and waiting; stages may run in parallel. Sampling to
saving are worker time of all branches, including samples for the stage’s data; between is the rest of the steps.
Loading a policy and creating a data set are not included.</p></section>`;
}

/** A table whose first column is text. */
const table = (head: readonly string[], rows: readonly (readonly (string | Html)[])[]) =>
  html`<table><thead><tr>${head.map((name, n) => html`<th class="${n === 0 ? 'text' : ''}">${name}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((cell, n) => html`<td class="${n === 0 ? 'text' : ''}">${cell}</td>`)}</tr>`)}</tbody></table>`;

/** The state of each stage, its link to the UI, its checkpoint. */
function stagesSection({ show, links }: ReportData): Html {
  return html`<section id="stages"><h2>Stages and checkpoints</h2><div class="wide"><table>
<thead><tr>${['stage', 'from', 'status', 'step', 'branch', 'checkpoint'].map((name) => html`<th class="text">${name}</th>`)}</tr></thead>
<tbody>${show.stages.map(
    ({ stage, origin, status, reason, step, steps, branch, checkpoint }) => html`<tr>
<td class="text">${linked(stage, links.stages[stage] ?? null)}</td><td class="text">${origin}</td>
<td class="text">${status}${reason === null ? null : html`<div class="note path">${reason}</div>`}</td>
<td class="text">${step}/${steps}</td><td class="text">${branch}</td><td class="text path">${checkpoint?.uri ?? '–'}</td></tr>`,
  )}</tbody></table></div></section>`;
}

const linked = (text: string, url: string | null) =>
  url === null ? html`${text}` : html`<a href="${url}">${text}</a>`;

function eventsSection({ show }: ReportData): Html {
  const events = eventsOf(show);
  return html`<section id="events"><h2>Alarms and changes</h2>${
    events.length === 0
      ? html`<p class="note">None.</p>`
      : html`<ul>${events.map(({ stage, step, text }) => html`<li><b>${stage}, step ${step}</b>: <bdi>${text}</bdi></li>`)}</ul>`
  }</section>`;
}

/** Name, status, times, main results, links. */
function headSection(data: ReportData): Html {
  const { show, description, links } = data;
  const finished = show.finishedAt === null ? '' : `, finished ${dateTime(show.finishedAt)}`;
  return html`<header><h1>${show.run}</h1><p>${description}</p><p class="facts">${factsOf(data).join(' · ')}</p>
<p class="note">Recipe ${show.recipe}, seed ${show.seed}; ${show.status}; started ${dateTime(show.startedAt)}${finished}.
${links.run === null ? null : html`<a href="${links.run}">In the Temporal UI</a>`}</p>
<nav><a href="#policies">Table</a><a href="#curves">Curves</a><a href="#answers">Answers</a><a href="#data">Data</a><a href="#cost">Cost</a><a href="#stages">Stages</a><a href="#events">Alarms</a></nav></header>`;
}
