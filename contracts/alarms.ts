import { z } from 'zod';
import { figure, steps, stepsOrNone } from './bounds.ts';

/** Symptoms of a failing run, checked after every recorded step and evaluation. */
export const alarmNames = [
  'reward-hacking',
  'empty-thinking',
  'length-at-limit',
  'entropy-collapse',
  'kl-too-large',
  'no-variance',
  'verifier-errors',
  'language-mixing',
] as const;
const alarmNameSchema = z.enum(alarmNames);
export type AlarmName = z.infer<typeof alarmNameSchema>;

/** What an alarm does besides being recorded and shown. `off`: it is not checked. */
const alarmActionSchema = z.enum(['note', 'pause', 'park', 'off']);
type AlarmAction = z.infer<typeof alarmActionSchema>;

/**
 * An alarm in a recipe, for the whole run or for one stage. Fields that a stage leaves out come from the run's alarm,
 * then from the defaults in `algorithm/run/alarms.ts`, which also defines what each alarm measures.
 */
const alarmSchema = z.strictObject({
  name: alarmNameSchema,
  threshold: z.number().min(-1e9).max(1e9).optional(),
  /** number of steps; of evaluations where the alarm measures evaluations */
  window: steps.optional(),
  action: alarmActionSchema.optional(),
});
export type AlarmRecipe = z.infer<typeof alarmSchema>;

export const alarmsSchema = z
  .array(alarmSchema)
  .refine(
    (alarms) => new Set(alarms.map(({ name }) => name)).size === alarms.length,
    'expected each alarm once',
  );

/** An alarm with all fields, resolved at launch; part of the stage's plan. */
export interface AlarmRule {
  name: AlarmName;
  threshold: number;
  window: number;
  action: Exclude<AlarmAction, 'off'>;
}

/** A raised alarm: once, at the step where its measure crossed the threshold. */
export const raisedAlarmSchema = z.strictObject({
  stage: z.string(),
  branch: z.int().min(0),
  step: stepsOrNone,
  name: alarmNameSchema,
  value: figure.describe('the measured value'),
  threshold: figure,
  action: alarmActionSchema.exclude(['off']),
  text: z.string().describe('the measurement as a sentence'),
});
export type RaisedAlarm = z.infer<typeof raisedAlarmSchema>;
