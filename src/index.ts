export { CargoError } from './errors.ts'
export type * from './host.ts'
export { OptionsError, type OptionsInput } from './options.ts'
export { type CargoPlugin, cargo } from './plugin.ts'
// Verdaccio's loader asks for it.
export { default } from './verdaccio/verdaccio.ts'
