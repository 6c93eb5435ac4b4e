.PHONY: install run demo check test bench build clean
install: ; npm ci
run: ; npm start
demo: ; npm run demo
check: ; npm run check
test: ; npm test
bench: ; npm run bench
build: ; npm run build
clean: ; npm run clean
