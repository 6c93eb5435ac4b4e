import { startChat } from './chat.js';
import { startEcho } from './echo.js';
import { offerEngines } from './engines.js';

startChat();
startEcho();
offerEngines();
