/** Certificates: which serve which hostname, one's own, and the local authority. Keys come in and never go out. */
import { z } from 'zod';
import type { CertificateView } from '../tls/certificates.ts';
import type { Leaf } from '../tls/pair.ts';
import { audited } from './audit.ts';
import type { ApiNeeds } from './needs.ts';
import { problems } from './routes.ts';
import type { Routes } from './routes.ts';
import { authority, certificate, certificateInput, hostnameParameters } from './schemas.ts';
import { toIso } from './wire.ts';

export function addCertificates(routes: Routes, needs: ApiNeeds): void {
  routes.get(
    '/certificates',
    {
      config: { verb: 'operate' },
      schema: {
        summary: 'All certificates, by hostname',
        description:
          'Those of the local authority are made when a hostname is first visited, and listed from then on.',
        response: { 200: certificate.array(), ...problems },
      },
    },
    () => needs.certificates.list().map(toWireCertificate),
  );

  routes.get(
    '/certificates/:hostname',
    {
      config: { verb: 'operate' },
      schema: {
        summary: 'The certificate that serves a hostname',
        params: hostnameParameters,
        response: { 200: certificate, ...problems },
      },
    },
    (request) => toWireCertificate(needs.certificates.find(request.params.hostname)),
  );

  routes.put(
    '/certificates/:hostname',
    {
      config: { verb: 'operate', action: 'certificate.added' },
      schema: {
        summary: 'Serve a hostname with a certificate of one’s own',
        description:
          'It replaces the one given before, and is used from the next handshake on. A pair that could not serve is refused, and what there was goes on serving.',
        params: hostnameParameters,
        body: certificateInput,
        response: { 200: certificate, ...problems },
      },
    },
    async (request) => {
      audited(request, { subject: request.params.hostname });
      return toWireCertificate(await needs.certificates.put(request.params.hostname, request.body));
    },
  );

  routes.delete(
    '/certificates/:hostname',
    {
      config: { verb: 'operate', action: 'certificate.removed' },
      schema: {
        summary: 'Remove one’s own certificate of exactly this name, else the automatic one',
        params: hostnameParameters,
        response: { 204: z.null().describe('It is gone.'), ...problems },
      },
    },
    async (request, reply) => {
      audited(request, { subject: request.params.hostname });
      await needs.certificates.remove(request.params.hostname);
      return reply.code(204).send(null);
    },
  );

  routes.get(
    '/authority',
    {
      config: { verb: 'anyone' },
      schema: {
        summary: 'The local authority, for clients to trust',
        response: { 200: authority, ...problems },
      },
    },
    async () => {
      const { certificate, path, domains, ...leaf } = await needs.certificates.authority();
      return { certificate, path, domains: [...domains], ...toWireLeaf(leaf) };
    },
  );
}

function toWireCertificate(view: CertificateView): z.output<typeof certificate> {
  const { hostname, source, state, because, leaf } = view;
  return {
    hostname,
    source,
    state,
    ...(because === undefined ? {} : { because }),
    ...(leaf ? toWireLeaf(leaf) : {}),
  };
}

function toWireLeaf({ names, issuer, notBefore, notAfter, serial, fingerprint256 }: Leaf) {
  return {
    names: [...names],
    issuer,
    notBefore: toIso(notBefore),
    notAfter: toIso(notAfter),
    serial,
    fingerprint256,
  };
}
