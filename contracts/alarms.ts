import { z } from 'zod';
import { figure, steps, stepsOrNone } from './bounds.ts';

/** Signs of a run going wrong, watched for after every recorded step and evaluation. */
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

/** What an alarm does beyond being written down and shown. `off`: it is not watched for. */
const alarmActionSchema = z.enum(['note', 'pause', 'park', 'off']);
type AlarmAction = z.infer<typeof alarmActionSchema>;

/**
 * An alarm as a recipe sets it, for the whole run or for one stage; what is left out is taken from the run's, and
 * then from the defaults in `algorithm/run/alarms.ts`, where each name's measure stands.
 */
const alarmSchema = z.strictObject({
  name: alarmNameSchema,
  threshold: z.number().min(-1e9).max(1e9).optional(),
  /** steps, or evaluations where the measure is made of those */
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

/** An alarm with nothing left out: decided at launch, part of the stage's plan. */
export interface AlarmRule {
  name: AlarmName;
  threshold: number;
  window: number;
  action: Exclude<AlarmAction, 'off'>;
}

/** An alarm that was raised: once at the step where its measure crossed the threshold. */
export const raisedAlarmSchema = z.strictObject({
  stage: z.string(),
  branch: z.int().min(0),
  step: stepsOrNone,
  name: alarmNameSchema,
  value: figure.describe('of the alarm’s measure'),
  threshold: figure,
  action: alarmActionSchema.exclude(['off']),
  text: z.string().describe('what was measured, for a person'),
});
export type RaisedAlarm = z.infer<typeof raisedAlarmSchema>;
