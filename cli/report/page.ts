import { html, trusted } from './html.ts';
import type { ReportData } from './report-data.ts';
import {
  answersSection,
  costsSection,
  curvesSection,
  eventsSection,
  funnelSection,
  headSection,
  policiesSection,
  stagesSection,
} from './sections.ts';
import { style } from './style.ts';

/** Nothing is fetched and nothing runs, whatever a text in it says. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

/** A run's report as one page that stands by itself. */
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
