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
  domains: z.array(z.string()).describe('with a verifier; answers of other domains are compared as text'),
  under_way: z.int().describe('requests that are being scored'),
});

const json = (schema: z.ZodType, io: 'input' | 'output') => ({
  'application/json': { schema: plainSchema(schema, io) },
});

/** OpenAPI names the dialect once, at the top of the document. */
function plainSchema(schema: z.ZodType, io: 'input' | 'output'): object {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}

const failure = (description: string) => ({ description, content: json(failureSchema, 'output') });

/** The server's interface as OpenAPI 3.1. */
export function openApiDocument(version: string): object {
  return {
    openapi: '3.1.0',
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    info: {
      title: 'durable-r1 rewards',
      version,
      description: `Verifiers as a remote reward function. Domains: ${judgedDomains.join(', ')}; answers of any other domain are compared as text.`,
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
      200: { description: 'one reward for each completion', content: json(scoreResponseSchema, 'output') },
      400: failure('not JSON, or not one of the request schemas'),
      403: failure('the Host header does not name this machine'),
      408: failure('the body did not arrive in time'),
      413: failure('a body or batch above the limit'),
      415: failure('not application/json'),
      429: failure('too many requests are being scored: retry'),
      503: failure('no verdict, for a reason that a retry or an installed tool may remove'),
      504: failure('not scored within the time limit'),
    },
  };
}
