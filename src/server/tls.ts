import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Config } from './config.ts'
import { ConfigError } from './config.ts'

/** PEM texts that belong together. */
export interface KeyPair {
  readonly cert: Buffer
  readonly key: Buffer
}

/**
 * Reads a certificate chain and its private key.
 * @throws {ConfigError} naming the one that cannot be read or used
 */
export async function readKeyPair(tls: NonNullable<Config['tls']>): Promise<KeyPair> {
  const cert = await attempt('tls.cert', () => readFile(tls.cert))
  const key = await attempt('tls.key', () => readFile(tls.key))
  const certificate = await attempt('tls.cert', () => new X509Certificate(cert), 'must be a PEM certificate')
  const privateKey = await attempt(
    'tls.key',
    () => createPrivateKey(key),
    'must be a PEM private key without password',
  )
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new ConfigError(['`tls.key`: is not the key of the certificate `tls.cert`'])
  }
  return { cert, key }
}

async function attempt<T>(key: string, run: () => T | Promise<T>, wanted?: string): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ConfigError([`\`${key}\`: ${wanted ?? reason}`], { cause })
  }
}
