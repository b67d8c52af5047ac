# make            the two programs, in build/bin
# make check      every test; make asan: the same under AddressSanitizer and UBSan
# make vectors    published test vectors [PALIQUE_VECTORS=DIR]
# make world      SEEDS=N [FROM=S]: simulated peers, directory, network and crashes
# make system     the real programs on this machine: kills, namespaces, hostile input
# make campaign   a million texts under every fault: kills, power cuts, full disks, ...; the sums
# make netlab     [RUNS=N] [CELLS=...]: every pair of NAT kinds, beside what a prototype reached
# make fuzz       SECONDS=N [TARGET=name]: each decoder for so long
# make bench      [BENCH="engine faces ..."] [BENCH_MOST=SECONDS of each]: figures, each beside what it is compared with
# make screenshots   pictures of the page and the terminal, into docs/screenshots
# make timing     [SAMPLES=N]: can real and unknown names be told apart by time?
# make soak       MINUTES=N: two engines chat, the directory restarts every minute
# make install    [DESTDIR=] [PREFIX=/usr/local];  make format;  make clean

PREFIX  ?= /usr/local
CFLAGS  ?= -O2 -g
B       := build
SEEDS   ?= 100
FROM    ?= 1
SECONDS ?= 10
MINUTES ?= 60
BENCH   ?=
BENCH_MOST ?= 1800
SAMPLES ?= 1000000
TARGET  ?=
RUNS    ?= 3
CELLS   ?=
export PALIQUE_VECTORS ?= tests/vectors

PKGS   = libuv libsodium sqlite3 jansson libngtcp2 libqrencode libmicrohttpd libseccomp miniupnpc libpng libjpeg libwebp ncursesw $(shell pkg-config --exists msgpack-c && echo msgpack-c || echo msgpack) inih
flags  = -std=gnu17 -D_GNU_SOURCE -I. -MMD -MP -Wall -Wextra -Wshadow -Wmissing-prototypes -Wvla \
         -Wno-missing-field-initializers $(if $(WERROR),-Werror) -fstack-protector-strong -fPIE \
         -DPALIQUE_PREFIX='"$(PREFIX)"' $(shell pkg-config --cflags $(PKGS))
LDLIBS = $(shell pkg-config --libs $(PKGS)) -lpthread

objects  = $(patsubst %.c,$(B)/%.o,$(filter-out %/main.c,$(wildcard $(addsuffix /*.c,$(1)))))
PROGRAMS = $(addprefix $(B)/bin/,palique palique-directory)
TESTS    = $(patsubst %.c,$(B)/%,$(wildcard tests/shared/*_test.c tests/directory/*_test.c tests/peer/*_test.c tests/world/*_test.c))
FUZZERS  = $(patsubst %.c,$(B)/%,$(wildcard tests/fuzz/*_fuzz.c))
BENCHES  = $(patsubst %.c,$(B)/%,$(wildcard tests/bench/*_bench.c))
TOOLS    = $(patsubst %.c,$(B)/%,$(wildcard tests/system/*_tool.c))

all: $(PROGRAMS) catalogues

$(B)/bin/palique:           $(B)/peer/main.o      $(B)/faces.a $(B)/peer.a $(B)/directory.a $(B)/shared.a
$(B)/bin/palique-directory: $(B)/directory/main.o $(B)/directory.a $(B)/shared.a
$(TESTS) $(FUZZERS) $(BENCHES) $(TOOLS): %: %.o $(B)/helpers.a $(B)/faces.a $(B)/peer.a $(B)/directory.a $(B)/shared.a

$(B)/shared.a:    $(call objects,shared)
$(B)/directory.a: $(call objects,directory)
$(B)/peer.a:      $(call objects,peer peer/api)
$(B)/faces.a:     $(call objects,peer/faces peer/faces/cli peer/faces/tui peer/faces/web) $(B)/peer/faces/web/page.o
$(B)/helpers.a:   $(filter-out %_test.o,$(call objects,tests tests/world))

$(TESTS): LDLIBS += -lcmocka -lz -lm
$(B)/tests/system/desktop_tool: LDLIBS += -lsystemd
$(PROGRAMS) $(TESTS) $(FUZZERS) $(BENCHES) $(TOOLS):
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -pie -o $@ $^ $(LDLIBS)
$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(flags) $(CFLAGS) -c -o $@ $<
$(B)/%.a:
	@mkdir -p $(@D)
	rm -f $@ && $(AR) rcs $@ $^

# Languages: a catalogue with mistakes fails here; one with gaps in tools/check-translations.
CATALOGUES = $(patsubst shared/po/%.po,$(B)/locale/%/LC_MESSAGES/palique.mo,$(wildcard shared/po/*.po))
catalogues: $(CATALOGUES)
$(B)/locale/%/LC_MESSAGES/palique.mo: shared/po/%.po
	@mkdir -p $(@D)
	msgfmt -c -o $@ $<

# The page, inside of the program; and libwebsockets by the name under which it is looked for at run time.
PAGE  = $(wildcard peer/faces/web/page/*) $(patsubst shared/po/%.po,$(B)/peer/faces/web/%.json,$(wildcard shared/po/*.po))
lws_a = $(shell pkg-config --variable=libdir libwebsockets)/libwebsockets.so
$(B)/peer/faces/web/http.o: flags += -DLWS_LIBRARY='"$(shell readelf -d $(lws_a) | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')"'
$(B)/peer/faces/web/%.json: shared/po/%.po $(wildcard peer/faces/web/page/*.js) tools/page-texts
	@mkdir -p $(@D)
	tools/page-texts $< $(wildcard peer/faces/web/page/*.js) >$@.new && mv $@.new $@
$(B)/peer/faces/web/page.s: $(PAGE) tools/embed
	tools/embed $(PAGE) >$@
$(B)/peer/faces/web/page.o: $(B)/peer/faces/web/page.s
	$(CC) -c -o $@ $<

# Tests. What each printed and how many ms it took stay beside it, for tools/check to count.
tests: $(TESTS)
# The longest begin first, so that none is left to run alone in the end.
LONGEST = $(patsubst %,$(B)/tests/%_test.passed,peer/store_faults peer/files_faults world/world shared/link_unrest peer/punch)
check: $(LONGEST) $(TESTS:%=%.passed) arrows circles
%.passed: %
	@began=$$(date +%s%N); $< >$<.log 2>&1 || { cat $<.log; echo "FAILED: $<"; exit 1; }; \
	tail -n 1 $<.log; echo $$((($$(date +%s%N) - began) / 1000000)) >$@
arrows:
	tools/check-includes
circles: $(addprefix $(B)/,shared.a directory.a peer.a)
	tools/check-circles $^
SANITIZE = -fsanitize=address,undefined
asan:
	$(MAKE) check B=build/asan CFLAGS="-O1 -g1 $(SANITIZE) -fno-sanitize-recover=all" LDFLAGS="$(SANITIZE)"
asan-programs:
	$(MAKE) all tools B=build/asan CFLAGS="-O1 -g1 $(SANITIZE) -fno-sanitize-recover=all" LDFLAGS="$(SANITIZE)"
world: $(B)/tests/world/world_test
	SEEDS=$(SEEDS) FROM=$(FROM) $<
tools: $(TOOLS) $(B)/tests/system/fault_preload.so
$(B)/tests/system/fault_preload.so: tests/system/fault_preload.c tests/faults.h
	@mkdir -p $(@D)
	$(CC) -std=gnu17 -D_GNU_SOURCE -I. -Wall -Wextra -O2 -shared -fPIC -o $@ $<
campaign: all tools $(B)/tests/world/world_test
	tests/system/campaign.sh $(B) long
system: all tools $(B)/tests/world/world_test
	tests/system/all.sh $(B)
netlab: all tools
	tests/system/netlab.sh $(B) $(RUNS) $(CELLS)
fuzz:
	$(MAKE) fuzzers B=build/fuzz CC=clang CFLAGS="-O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all" \
	        LDFLAGS="-fsanitize=fuzzer,address,undefined"
	tools/fuzz build/fuzz/tests/fuzz $(SECONDS) $(TARGET)
fuzzers: $(FUZZERS)
bench: all $(BENCHES)
	tests/bench/all.sh $(abspath $(B)) $(BENCH_MOST) $(BENCH)
# Pictures of the page for the documents, of real engines that have talked.
screenshots: all
	PALIQUE_SCRIPT=screenshots sh tests/system/browser.sh $(abspath $(B)) $(CURDIR)/docs/screenshots
timing: $(B)/tests/directory/timing_test
	SAMPLES=$(SAMPLES) $<
soak: asan-programs
	tests/system/soak.sh build/asan $(MINUTES)

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/doc/palique
	install -m 755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin/
	install -m 644 README.md LICENSE $(wildcard docs/*.md) $(DESTDIR)$(PREFIX)/share/doc/palique/
	for page in $(wildcard docs/man/*.[1-8]); do \
		install -D -m 644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/}; done
	for language in $(notdir $(wildcard $(B)/locale/*)); do \
		install -D -m 644 $(B)/locale/$$language/LC_MESSAGES/palique.mo \
			$(DESTDIR)$(PREFIX)/share/locale/$$language/LC_MESSAGES/palique.mo; done
	for shell in bash-completion/completions/palique=bash zsh/site-functions/_palique=zsh \
		fish/vendor_completions.d/palique.fish=fish; do \
		file=$(DESTDIR)$(PREFIX)/share/$${shell%=*}; install -d $${file%/*} && \
		LC_ALL=C LANGUAGE= $(B)/bin/palique completion $${shell#*=} >$$file && chmod 644 $$file || exit 1; done
	install -D -m 644 tools/desktop/palique.desktop $(DESTDIR)$(PREFIX)/share/applications/palique.desktop
	install -D -m 644 peer/faces/web/page/icon.svg $(DESTDIR)$(PREFIX)/share/icons/hicolor/scalable/apps/palique.svg
	install -d $(DESTDIR)$(PREFIX)/share/palique/bots
	install -m 755 $(wildcard tools/bots/*.py) $(DESTDIR)$(PREFIX)/share/palique/bots/
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	for unit in $(wildcard tools/systemd/*.service); do \
		sed 's|@PREFIX@|$(PREFIX)|' $$unit >$(DESTDIR)$(PREFIX)/lib/systemd/system/$${unit##*/}; done
	install -D -m 644 tools/systemd/palique.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/palique.conf
	install -D -m 644 tools/systemd/palique.tmpfiles $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/palique.conf
vectors: $(B)/tests/shared/vectors_test
	$<
format:
	clang-format -i $$(git ls-files '*.c' '*.h')
clean:
	rm -rf build

.PHONY: all catalogues tests check arrows circles asan vectors asan-programs world tools system campaign netlab fuzz fuzzers bench timing soak screenshots install format clean
.SECONDARY:
-include $(shell find $(B) -name '*.d' 2>/dev/null)
