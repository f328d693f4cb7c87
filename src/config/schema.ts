/** What a berth.json may say and what it means: the two halves under one name for those outside. */
export {
  checkSlot,
  describeConfiguration,
  spelled,
  toConfiguration,
  toVariables,
} from './configuration.ts';
export { envValues } from './fields.ts';
export { type ConfigFile, configFileSchema } from './keys.ts';
