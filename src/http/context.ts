import type { ParameterizedContext } from 'koa'
import type { Caller } from '../registry/access.ts'

/** What the middlewares below the mount leave for each other. */
export interface CargoState {
  /** Set by the `caller` middleware. */
  caller: Caller
  /** The pattern of the route that answered, for metrics: never a value from the request. */
  route?: string
}

/** A request under the mount. */
export type CargoContext = ParameterizedContext<CargoState>
