import { startChat } from './chat.js';
import { startEcho } from './echo.js';

startChat();
startEcho();
