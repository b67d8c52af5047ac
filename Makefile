# make            the two programs, in build/bin
# make check      every test; make asan: the same under AddressSanitizer and UBSan
# make vectors    published test vectors [PALIQUE_VECTORS=DIR]
# make world      SEEDS=N [FROM=S]: simulated peers, directory, network and crashes
# make fuzz       SECONDS=N: each decoder for so long
# make bench      figures, each beside what it is compared with
# make install    [DESTDIR=] [PREFIX=/usr/local];  make format;  make clean

PREFIX  ?= /usr/local
CFLAGS  ?= -O2 -g
B       := build
SEEDS   ?= 100
FROM    ?= 1
SECONDS ?= 10
export PALIQUE_VECTORS ?= tests/vectors

PKGS   = libuv libsodium sqlite3 jansson libngtcp2 libqrencode $(shell pkg-config --exists msgpack-c && echo msgpack-c || echo msgpack) inih
flags  = -std=gnu17 -D_GNU_SOURCE -I. -MMD -MP -Wall -Wextra -Wshadow -Wmissing-prototypes -Wvla \
         -Wno-missing-field-initializers $(if $(WERROR),-Werror) -fstack-protector-strong -fPIE \
         -DPALIQUE_PREFIX='"$(PREFIX)"' $(shell pkg-config --cflags $(PKGS))
LDLIBS = $(shell pkg-config --libs $(PKGS)) -lpthread

objects  = $(patsubst %.c,$(B)/%.o,$(filter-out %/main.c,$(wildcard $(addsuffix /*.c,$(1)))))
PROGRAMS = $(addprefix $(B)/bin/,palique palique-directory)
TESTS    = $(patsubst %.c,$(B)/%,$(wildcard tests/shared/*_test.c tests/directory/*_test.c tests/peer/*_test.c tests/world/*_test.c))
FUZZERS  = $(patsubst %.c,$(B)/%,$(wildcard tests/fuzz/*_fuzz.c))
TOOLS    = $(patsubst %.c,$(B)/%,$(wildcard tests/bench/*_bench.c tests/system/*_tool.c))

all: $(PROGRAMS) catalogues

$(B)/bin/palique:           $(B)/peer/main.o      $(B)/faces.a $(B)/peer.a $(B)/directory.a $(B)/shared.a
$(B)/bin/palique-directory: $(B)/directory/main.o $(B)/directory.a $(B)/shared.a
$(TESTS) $(FUZZERS) $(TOOLS): %: %.o $(B)/helpers.a $(B)/faces.a $(B)/peer.a $(B)/directory.a $(B)/shared.a

$(B)/shared.a:    $(call objects,shared)
$(B)/directory.a: $(call objects,directory)
$(B)/peer.a:      $(call objects,peer peer/api)
$(B)/faces.a:     $(call objects,peer/faces peer/faces/cli)
$(B)/helpers.a:   $(filter-out %_test.o,$(call objects,tests tests/world))

$(PROGRAMS) $(TESTS) $(FUZZERS) $(TOOLS):
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -pie -o $@ $^ $(LDLIBS)
$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(flags) $(CFLAGS) -c -o $@ $<
$(B)/%.a:
	@mkdir -p $(@D)
	rm -f $@ && $(AR) rcs $@ $^

# Languages: a missing or stale translation fails here.
CATALOGUES = $(patsubst shared/po/%.po,$(B)/locale/%/LC_MESSAGES/palique.mo,$(wildcard shared/po/*.po))
catalogues: $(CATALOGUES)
$(B)/locale/%/LC_MESSAGES/palique.mo: shared/po/%.po
	@mkdir -p $(@D)
	msgfmt -c -o $@ $<

check: $(TESTS:%=%.passed) arrows
%.passed: %
	$< && touch $@
arrows:
	tools/check-includes
asan:
	$(MAKE) check B=build/asan CFLAGS="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all" \
	        LDFLAGS="-fsanitize=address,undefined"
format:
	clang-format -i $$(git ls-files '*.c' '*.h')
clean:
	rm -rf build

.PHONY: all catalogues check arrows asan format clean
.SECONDARY:
-include $(shell find $(B) -name '*.d' 2>/dev/null)
