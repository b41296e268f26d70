import type { Options } from '../options.ts'
import type { Config } from './config.ts'
import { renderListen } from './listen.ts'

/** The registry's URL by its settings, mount included, without a final slash. */
export function registryUrl({ public_url: url, tls, listen }: Config, { mount }: Options): string {
  const base = url ?? `${tls ? 'https' : 'http'}://${renderListen(listen)}`
  return base.replace(/\/+$/, '') + mount
}
