import type { CargoContext } from './context.ts'

/** What a request asks for behind its path, every key as often as it was given. */
export function queryOf(ctx: Pick<CargoContext, 'querystring'>): URLSearchParams {
  return new URLSearchParams(ctx.querystring)
}
