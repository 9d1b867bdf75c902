import { homedir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { z } from 'zod';
import { StackError } from './errors.ts';
import { PROJECT_ROOT } from './paths.ts';

/** Thrown where variables of the environment have wrong values; names each of them. */
export class SettingsError extends StackError {
  override name = 'SettingsError';
}

/** All settings from the environment. A server without an address is started by the local stack. */
export type Settings = {
  /** Folder of the local stack's data, absolute. */
  home: string;
  /** Folder of fetched binaries, absolute. */
  cache: string;
  /** Local files of checkpoints, shared by the processes of a machine. */
  modelCache: { folder: string /** bytes */; limit: number };
  /** Folders that are searched for binaries. */
  searchPath: string[];
  temporal: {
    address?: string;
    namespace: string;
    binary?: string;
    port?: number;
    uiPort?: number;
    /** Dynamic configuration of the local server, `key=value` each, on top of its own. */
    dynamicConfig: string[];
  };
  postgres: { url?: string; port?: number };
  s3: {
    endpoint?: string;
    bucket: string;
    region: string;
    accessKeyId?: string;
    secretAccessKey?: string;
    forcePathStyle: boolean;
    binary?: string;
    port?: number;
  };
  /** Threads of the engine, where the environment sets them; they belong to the numerics. */
  threads?: number;
  /** Trainers of the local stack. */
  trainers: number;
  /** Minutes for which objects are kept that no row refers to any more. */
  graceMinutes: number;
  /** A worker's own name among the processes; its supervisor sets it. */
  workerName: string;
  /** Points at which a worker ends itself: `activities/failpoints.ts`. Only tests set it. */
  failpoints: string[];
  /** The variables as they were set, for passing the same settings to a child process. */
  variables: Record<string, string>;
};

/** A whole number within bounds, written in decimal. */
function integer(minimum: number, maximum: number, what: string) {
  const expected = `expected ${what} from ${minimum} to ${maximum}`;
  return z
    .string()
    .regex(/^\d+$/, expected)
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, expected);
}

function matching(pattern: RegExp, expected: string) {
  return z.string().regex(pattern, `expected ${expected}`);
}

/** Texts separated by commas; none where unset. */
function list(each: RegExp, what: string) {
  return z
    .string()
    .default('')
    .transform((text) => text.split(',').filter(Boolean))
    .refine((parts) => parts.every((part) => each.test(part)), `expected ${what}`);
}

const LOOPBACK_ONLY =
  'the local servers listen on 127.0.0.1 only, since anyone who reaches the local Temporal can control every run';

/** A port of a local server. The address is fixed: a value with an address is refused with the reason. */
const port = () =>
  z
    .string()
    .refine((value) => !/[.:*]/.test(value), `expected a port number without an address: ${LOOPBACK_ONLY}`)
    .pipe(integer(1, 65_535, 'a port number'))
    .optional();
const text = () => z.string().optional();

/** Hosts at which a server listens to every network; no client can reach a server there. */
const EVERY_NETWORK = /^(0\.0\.0\.0|0|\*|::|\[::\]|\[::0\]|::0)$/;

/** An address of an external server; `hostOf` finds the host in it. */
function elsewhere(pattern: RegExp, expected: string, hostOf: (address: string) => string) {
  return matching(pattern, expected)
    .refine(
      (address) => !EVERY_NETWORK.test(hostOf(address)),
      `expected an address at which a server can be reached, not one at which it listens: ${LOOPBACK_ONLY}`,
    )
    .optional();
}

const hostBeforePort = (address: string) => address.slice(0, address.lastIndexOf(':'));
const hostOfUrl = (url: string) => (URL.canParse(url) ? new URL(url).hostname : '');
/** A URL parser reads 0 and 0.0 as 0.0.0.0, but only in schemes that it knows; postgres is not one of them. */
const hostOfDatabase = (url: string) => hostOfUrl(url.replace(/^postgres(ql)?:/, 'http:'));

const variables = z.object({
  R1_HOME: text(),
  R1_CACHE: text(),
  R1_CACHE_LIMIT: integer(1, 1_000_000, 'a number of gigabytes').default(20),
  R1_THREADS: integer(1, 1024, 'a number of threads').optional(),
  R1_TRAINERS: integer(1, 64, 'a number of trainers').default(1),
  R1_GRACE_MINUTES: integer(0, 525_600, 'a number of minutes').default(60),
  R1_FAILPOINT: list(
    /^[a-z-]+(:\d+)?(=(stop|memory))?$/,
    'names of failpoints, each perhaps with :STEP and =stop, =memory or =freeze',
  ),
  R1_WORKER_NAME: matching(/^[a-z][\w-]*$/, 'a name of letters, digits, _ and -').default('worker'),
  R1_TEMPORAL_ADDRESS: elsewhere(/^[^\s/]+:\d+$/, 'host:port, such as temporal.example:7233', hostBeforePort),
  R1_TEMPORAL_NAMESPACE: matching(/^[\w.-]{2,}$/, 'a namespace name').default('default'),
  R1_TEMPORAL_BIN: text(),
  R1_TEMPORAL_DYNAMIC_CONFIG: list(/^[\w.]+=[^,]+$/, 'key=value pairs separated by commas'),
  R1_PORT_TEMPORAL: port(),
  R1_PORT_TEMPORAL_UI: port(),
  R1_DATABASE_URL: elsewhere(
    /^postgres(ql)?:\/\/\S+\/[^/?\s]+/,
    'postgres://user:password@host:port/database',
    hostOfDatabase,
  ),
  R1_PORT_POSTGRES: port(),
  R1_S3_ENDPOINT: elsewhere(/^https?:\/\/[^\s/]+/, 'http(s)://host:port', hostOfUrl),
  R1_S3_BUCKET: matching(
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
    'a bucket name: 3 to 63 lower-case letters, digits, dots and dashes',
  ).default('r1-runs'),
  R1_S3_REGION: matching(/^[\w-]+$/, 'a region name').default('us-east-1'),
  R1_S3_ACCESS_KEY_ID: text(),
  R1_S3_SECRET_ACCESS_KEY: text(),
  R1_S3_FORCE_PATH_STYLE: z.enum(['true', 'false'], { error: 'expected true or false' }).default('true'),
  R1_WEED_BIN: text(),
  R1_PORT_S3: port(),
});

/** Names of the variables that are read. */
export const SETTING_NAMES = Object.keys(variables.shape) as (keyof typeof variables.shape)[];

/** What each variable means, for `docs/commands.md`. */
export const settingHelp: Record<(typeof SETTING_NAMES)[number], string> = {
  R1_HOME: 'folder of the local stack’s data; by default `.r1` in the checkout',
  R1_CACHE: 'folder of downloaded binaries; by default `durable-r1` in `$XDG_CACHE_HOME` or `~/.cache`',
  R1_CACHE_LIMIT:
    'gigabytes of checkpoints’ files that are kept in `models` of that folder, by default 20; the least recently used are removed first',
  R1_THREADS: 'threads of the engine, by default one per core; they belong to the numerics',
  R1_TRAINERS: 'trainers of the local stack, by default 1; stages that can run side by side take one each',
  R1_GRACE_MINUTES:
    'minutes for which the objects of deleted checkpoints are kept, by default 60: longer than an export takes',
  R1_FAILPOINT: 'for tests: places at which a worker ends itself',
  R1_WORKER_NAME: 'name of a worker process; its supervisor sets it',
  R1_TEMPORAL_ADDRESS: '`host:port` of another Temporal server',
  R1_TEMPORAL_NAMESPACE: 'namespace, by default `default`',
  R1_TEMPORAL_BIN: 'Temporal’s command-line program, instead of downloading it',
  R1_TEMPORAL_DYNAMIC_CONFIG:
    'dynamic configuration of the local Temporal server: `key=value`, separated by commas',
  R1_PORT_TEMPORAL: 'port of the local Temporal server, by default 7233 or the next free one',
  R1_PORT_TEMPORAL_UI: 'port of its UI, by default 8233 or the next free one',
  R1_DATABASE_URL: '`postgres://…` of another PostgreSQL',
  R1_PORT_POSTGRES: 'port of the local PostgreSQL, by default 54329 or the next free one',
  R1_S3_ENDPOINT: '`http(s)://host:port` of another S3 that supports conditional puts',
  R1_S3_BUCKET: 'bucket, by default `r1-runs`',
  R1_S3_REGION: 'region, by default `us-east-1`',
  R1_S3_ACCESS_KEY_ID: 'key of the other S3',
  R1_S3_SECRET_ACCESS_KEY: 'secret key of the other S3',
  R1_S3_FORCE_PATH_STYLE: '`true` (default): bucket in the path; `false`: bucket in the host name',
  R1_WEED_BIN: 'SeaweedFS’s program, instead of downloading it',
  R1_PORT_S3: 'port of the local S3 server, by default 8333 or the next free one',
};

/** Variables whose value an error must not show. */
const SECRET = new Set(['R1_DATABASE_URL', 'R1_S3_ACCESS_KEY_ID', 'R1_S3_SECRET_ACCESS_KEY']);

type Environment = Record<string, string | undefined>;

/**
 * Reads and checks every `R1_*` variable; an empty one counts as unset.
 * @throws SettingsError naming each variable that is wrong, with what was expected and what was found.
 */
export function readSettings(environment: Environment = process.env): Settings {
  const given = Object.fromEntries(
    SETTING_NAMES.map((name) => [name, environment[name] || undefined]),
  ) as Environment;
  const parsed = variables.safeParse(given);
  if (!parsed.success) throw new SettingsError(describe(parsed.error, given));
  requireS3Keys(parsed.data);
  return { ...toSettings(parsed.data, environment), variables: onlySet(given) };
}

function describe(error: z.ZodError, given: Environment): string {
  const lines = error.issues.map((issue) => {
    const name = String(issue.path[0]);
    const found = SECRET.has(name) ? 'something else (not shown)' : JSON.stringify(given[name]);
    return `  ${name}: ${issue.message}, found ${found}`;
  });
  return `The environment has wrong values:\n${lines.join('\n')}\nSet each as expected, or unset it.`;
}

function requireS3Keys(values: z.infer<typeof variables>): void {
  if (values.R1_S3_ENDPOINT === undefined) return;
  const missing = (['R1_S3_ACCESS_KEY_ID', 'R1_S3_SECRET_ACCESS_KEY'] as const).filter((n) => !values[n]);
  if (missing.length === 0) return;
  throw new SettingsError(
    `R1_S3_ENDPOINT points to another S3, so its keys are expected: ${missing.join(' and ')} not set. ` +
      'Set them, or unset R1_S3_ENDPOINT to use the local S3 server.',
  );
}

function toSettings(
  values: z.infer<typeof variables>,
  environment: Environment,
): Omit<Settings, 'variables'> {
  const cache = resolve(
    values.R1_CACHE ?? join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'durable-r1'),
  );
  return {
    home: resolve(values.R1_HOME ?? join(PROJECT_ROOT, '.r1')),
    cache,
    modelCache: { folder: join(cache, 'models'), limit: values.R1_CACHE_LIMIT * 1e9 },
    searchPath: (environment.PATH ?? '').split(delimiter).filter(Boolean),
    temporal: {
      address: values.R1_TEMPORAL_ADDRESS,
      namespace: values.R1_TEMPORAL_NAMESPACE,
      binary: values.R1_TEMPORAL_BIN,
      port: values.R1_PORT_TEMPORAL,
      uiPort: values.R1_PORT_TEMPORAL_UI,
      dynamicConfig: values.R1_TEMPORAL_DYNAMIC_CONFIG,
    },
    postgres: { url: values.R1_DATABASE_URL, port: values.R1_PORT_POSTGRES },
    s3: {
      endpoint: values.R1_S3_ENDPOINT,
      bucket: values.R1_S3_BUCKET,
      region: values.R1_S3_REGION,
      accessKeyId: values.R1_S3_ACCESS_KEY_ID,
      secretAccessKey: values.R1_S3_SECRET_ACCESS_KEY,
      forcePathStyle: values.R1_S3_FORCE_PATH_STYLE === 'true',
      binary: values.R1_WEED_BIN,
      port: values.R1_PORT_S3,
    },
    threads: values.R1_THREADS,
    trainers: values.R1_TRAINERS,
    graceMinutes: values.R1_GRACE_MINUTES,
    workerName: values.R1_WORKER_NAME,
    failpoints: values.R1_FAILPOINT,
  };
}

/** The environment of a child process: our own variables as the settings have them, and all others as they are. */
export function environmentFor(settings: Settings): Record<string, string> {
  const others = Object.entries(process.env).filter(([name]) => !(SETTING_NAMES as string[]).includes(name));
  return { ...onlySet(Object.fromEntries(others)), ...settings.variables, R1_HOME: settings.home };
}

function onlySet(environment: Environment): Record<string, string> {
  const entries = Object.entries(environment);
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined));
}
