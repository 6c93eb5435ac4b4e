import type { ClusterAction, RouteAction } from '../../config/types/route.ts';
import { createRedirect, type LocationFault } from '../../routing/redirect.ts';
import { headerOf } from '../../wire/http/request-head.ts';
import type { HeaderList } from '../contract/http-reply.ts';
import type { RequestRefusal } from '../contract/listener-stats.ts';
import { StaticFiles } from '../static/static-files.ts';
import type { Answers } from './answers.ts';
import type { RouteHandler } from './route-handler.ts';

/** The answer, with status 400, to a request that gets no location. */
interface Refusal {
  readonly detail: string;
  readonly reason: RequestRefusal;
}

const REFUSALS: Readonly<Record<LocationFault, Refusal>> = {
  'dot segment': { detail: 'the location has a dot segment', reason: 'dot_segment' },
  'no host': { detail: 'the redirect needs a host header', reason: 'bad_host' },
  'another host': { detail: 'the location names another host', reason: 'bad_target' },
};

/** Creates the handler of a route that needs no endpoint. */
export function plainHandler(action: Exclude<RouteAction, ClusterAction>, answers: Answers): RouteHandler {
  switch (action.kind) {
    case 'static': {
      const files = new StaticFiles(action);
      return ({ exchange, request: { head, path } }) => {
        const wanted = { method: head.method, path, header: (name: string) => headerOf(head, name) };
        files.serve(wanted, exchange.reply, (status) => answers.ended(exchange, status));
      };
    }
    case 'respond': {
      const headers: HeaderList = [['Content-Type', action.contentType]];
      return ({ exchange }) => answers.send(exchange, action.status, headers, action.body);
    }
    case 'redirect': {
      const redirect = createRedirect(action.to);
      return ({ exchange, request: { host, path }, groups }) => {
        const location = redirect({ host, path, query: exchange.head.query, groups });
        if (typeof location === 'string') {
          answers.send(exchange, action.status, [['Location', location]], '');
        } else {
          const { detail, reason } = REFUSALS[location.fault];
          answers.refuse(exchange, 400, detail, reason);
        }
      };
    }
  }
}
