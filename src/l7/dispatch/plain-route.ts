import type { ClusterAction, RouteAction } from '../../config/types/route.ts';
import { expandRedirect } from '../../routing/rewrite.ts';
import { headerOf } from '../../wire/http/request-head.ts';
import type { HeaderList } from '../contract/http-reply.ts';
import { StaticFiles } from '../static/static-files.ts';
import type { Answers } from './answers.ts';
import type { RouteHandler } from './route-handler.ts';

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
    case 'redirect':
      return ({ exchange, groups }) => {
        const location = expandRedirect(action.to, groups, exchange.head.query);
        if (location === null) {
          answers.refuse(exchange, 400, 'the location has a dot segment', 'dot_segment');
          return;
        }
        answers.send(exchange, action.status, [['Location', location]], '');
      };
  }
}
