import { declareEveryday } from './everyday.ts'

declareEveryday('6.10.4')
