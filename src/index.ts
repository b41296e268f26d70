export { CargoError } from './errors.ts'
export type * from './host.ts'
export { OptionsError, type OptionsInput } from './options.ts'
export { type CargoPlugin, cargo } from './plugin.ts'
