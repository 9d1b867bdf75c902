/** A value for a jsonb parameter: the driver would take an array for one of PostgreSQL's. */
export const json = (value: unknown): string => JSON.stringify(value);
