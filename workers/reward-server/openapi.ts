import { z } from 'zod';
import { judgedDomains } from '../../rewards/domains.ts';
import {
  failureSchema,
  openRlhfRequestSchema,
  scoreResponseSchema,
  trlRequestSchema,
} from './score-request.ts';

const healthSchema = z.object({
  status: z.literal('ok'),
  rewards: z.record(z.string(), z.int()).describe('name → version'),
  domains: z.array(z.string()).describe('judged by more than equal text'),
  under_way: z.int().describe('requests'),
});

const json = (schema: z.ZodType, io: 'input' | 'output') => ({
  'application/json': { schema: plainSchema(schema, io) },
});

/** OpenAPI names the dialect once, at its top. */
function plainSchema(schema: z.ZodType, io: 'input' | 'output'): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}

const failure = (description: string) => ({ description, content: json(failureSchema, 'output') });

/** What the server serves, as OpenAPI 3.1. */
export function openApiDocument(version: string): object {
  return {
    openapi: '3.1.0',
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    info: {
      title: 'durable-r1 rewards',
      version,
      description: `Verifiers as a remote reward function. Domains: ${judgedDomains.join(', ')}; any other: equal text.`,
    },
    paths: {
      '/score': { post: scoreOperation() },
      '/health': {
        get: {
          operationId: 'health',
          responses: { 200: { description: 'ready', content: json(healthSchema, 'output') } },
        },
      },
    },
  };
}

function scoreOperation(): object {
  const schemas = [trlRequestSchema, openRlhfRequestSchema].map((schema) => plainSchema(schema, 'input'));
  return {
    operationId: 'score',
    summary: 'Scores a batch of completions',
    requestBody: { required: true, content: { 'application/json': { schema: { anyOf: schemas } } } },
    responses: {
      200: { description: 'one reward a completion', content: json(scoreResponseSchema, 'output') },
      400: failure('not JSON, or not of a shape that is known'),
      403: failure('asked under a name that is not this machine’s'),
      408: failure('the body did not arrive in time'),
      413: failure('a body or batch above the limit'),
      415: failure('not application/json'),
      429: failure('too many requests are scored or wait for it: ask again'),
      503: failure('no verdict for a reason that asking again, or installing a tool, may mend'),
      504: failure('not scored within the time limit'),
    },
  };
}
