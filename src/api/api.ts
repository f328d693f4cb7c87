/** The API and the pages of the platform hostnames. It never listens itself: the router hands it its requests. */
import Fastify from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import { type DeclaredRoute, guard } from './actor.ts';
import { auditChanges } from './audit.ts';
import { addAuditLog } from './audit-log.ts';
import { addCertificates } from './certificates.ts';
import { addAliases } from './aliases.ts';
import { addBackups } from './backups.ts';
import { addCleanup } from './cleanup.ts';
import { addDeployments } from './deployments.ts';
import { addLoginPage } from './login-page.ts';
import { addEnvironmentChange } from './environment-change.ts';
import { addEnvironments } from './environments.ts';
import { addLogs } from './logs.ts';
import { addMetrics } from './metrics.ts';
import type { ApiNeeds } from './needs.ts';
import { addOpenApi } from './openapi.ts';
import { addPages } from './pages.ts';
import { answerWithProblems, refusePath } from './problem.ts';
import { addProgress } from './progress.ts';
import { addProjects } from './projects.ts';
import { addReleases } from './releases.ts';
import type { Routes } from './routes.ts';
import { addSecrets } from './secrets.ts';
import { addStatus } from './status.ts';
import { addTeams } from './teams.ts';
import { addTokens } from './tokens.ts';
import { addUploads } from './uploads.ts';
import { addVariables } from './variables.ts';

const API_PREFIX = '/api/v1';

/** Of one name in a path, in characters as escaped: a branch may have 200, each of them up to nine. */
const LONGEST_PATH_NAME = 2048;

/** Ready to be given requests through `routing(request, response)`; `inject` works too. `declared` hears of every route. */
export async function createApi(
  needs: ApiNeeds,
  declared: (route: DeclaredRoute) => void = () => undefined,
): Promise<Routes> {
  const app = Fastify({
    logger: false,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: LONGEST_PATH_NAME },
    frameworkErrors: refusePath,
    // Whose word on the client's address, host and scheme is taken: nobody's unless named.
    trustProxy: needs.trustedProxies?.length ? [...needs.trustedProxies] : false,
    // Answers name it, and so does our log.
    genReqId: () => needs.nextRequestId(),
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  answerWithProblems(app, needs.reporter);
  guard(app, needs, declared);
  auditChanges(app, needs);
  await addOpenApi(app, needs.facts().version);
  await app.register(
    (api: Routes, _options, done) => {
      addStatus(api, needs);
      addUploads(api, needs);
      addDeployments(api, needs);
      addProgress(api, needs);
      addLogs(api, needs);
      addProjects(api, needs);
      addEnvironments(api, needs);
      addEnvironmentChange(api, needs);
      addReleases(api, needs);
      addCertificates(api, needs);
      addAliases(api, needs);
      addBackups(api, needs);
      addCleanup(api, needs);
      addSecrets(api, needs);
      addVariables(api, needs);
      addTeams(api, needs);
      addTokens(api, needs);
      addAuditLog(api, needs);
      api.get('/openapi.json', { config: { isOpen: true }, schema: { hide: true } }, () =>
        app.swagger(),
      );
      done();
    },
    { prefix: API_PREFIX },
  );
  addMetrics(app, needs);
  addPages(app, needs);
  addLoginPage(app, needs);
  await app.ready();
  return app;
}
