import { z } from 'zod'

const proxyUrl = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' })

/** Headers that are sent along, by name. */
export const headers = z.record(
  z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'must be a header name'),
  z.string(),
)

/** How a server elsewhere is reached, in Verdaccio's words. */
export const connection = {
  ca: z
    .string()
    .min(1)
    .optional()
    .describe("certificates that are trusted besides the system's, in PEM or the file with them"),
  strict_ssl: z.boolean().default(true).describe('whether certificates are verified'),
  http_proxy: proxyUrl.optional().describe('proxy for a `url` over http'),
  https_proxy: proxyUrl.optional().describe('proxy for a `url` over https'),
  no_proxy: z.string().optional().describe('hosts and domains, separated by commas, reached directly'),
} as const
