#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "peer/transcript.h"
#include "shared/json.h"

static struct buf out;

static int begin(void **state)
{
	(void)state;
	buf_clear(&out);
	return 0;
}

static const char *text(void)
{
	buf_append_byte(&out, '\0');
	out.size--;
	return (const char *)out.data;
}

static const char *html(const char *said)
{
	buf_clear(&out);
	transcript_html_text(&out, bytes_text(said));
	return text();
}

static struct message said(const char *what)
{
	return (struct message){ .id = 7,
				 .contact = { "bob@x" },
				 .kind = MESSAGE_TEXT,
				 .seq = 3,
				 .sent_at = 1800000000000,
				 .arrived_at = 1800000001000,
				 .state = MESSAGE_RECEIVED,
				 .text = bytes_text(what) };
}

static void no_text_of_others_is_markup(void **state)
{
	(void)state;
	assert_string_equal(html("<script>alert('x')</script>\"&amp;"),
			    "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;amp;");
	assert_string_equal(html("*<b>*"), "<b>&lt;b&gt;</b>");
	assert_string_equal(html("`<i>`"), "<code>&lt;i&gt;</code>");
}

static void characters_that_play_tricks_are_shown(void **state)
{
	(void)state;
	assert_string_equal(html("a\xe2\x80\xae"
				 "b"),
			    "a\\u202eb");
	assert_non_null(strstr(html("a\x01\x1b[31m"), "\\u001b[31m"));
	assert_non_null(strstr(html("bad \xff utf"), "\xef\xbf\xbd"));
}

static void light_formatting_is_rendered_where_it_closes(void **state)
{
	(void)state;
	assert_string_equal(html("*bold* and _it_ and `co_d_e`"),
			    "<b>bold</b> and <i>it</i> and <code>co_d_e</code>");
	assert_string_equal(html("2*3*4 a_b_c"), "2*3*4 a_b_c");
	assert_string_equal(html("* no * _ no _"), "* no * _ no _");
	assert_string_equal(html("*open\nother*"), "*open<br>other*");
	assert_string_equal(html("*a _b_ c*"), "<b>a <i>b</i> c</b>");
	assert_string_equal(html("**"), "**");
	assert_string_equal(html(""), "");
}

static void long_hostile_text_takes_no_long(void **state)
{
	static char many[16384 + 1];

	(void)state;
	for (size_t i = 0; i + 1 < sizeof many; i++)
		many[i] = "* _a"[i % 4];
	(void)html(many);
	assert_true(out.size >= sizeof many - 1);
}

static void a_message_is_one_line_of_json(void **state)
{
	struct message m = said("line\nbreak \"q\"");
	struct json *j;

	(void)state;
	m.our_reactions = bytes_text("a b");
	m.is_edited = true;
	m.edited_at = 5;
	m.sent_at = INT64_MAX; /* what its author says */
	transcript_message(TRANSCRIPT_JSONL, &out, &m, NULL, (struct bytes){ 0 });
	assert_int_equal(out.data[out.size - 1], '\n');
	assert_ptr_equal(memchr(out.data, '\n', out.size), out.data + out.size - 1);
	assert_int_equal(json_parse(&j, bytes_of(out.data, out.size - 1)), 0);
	assert_string_equal(json_text(j, "text"), "line\nbreak \"q\"");
	assert_string_equal(json_text(j, "conversation"), "bob@x");
	assert_string_equal(json_text(j, "state"), "received");
	assert_int_equal(json_int(j, "editedAt", 0), 5);
	assert_int_equal(json_int(j, "sentAt", 0), 253370764800000);
	assert_string_equal(json_text_at(json_get(j, "ourReactions"), 1), "b");
	assert_false(json_has(j, "file"));
	json_free(j);
}

static void what_a_program_said_is_marked_and_its_buttons_are_a_list(void **state)
{
	struct message m = said("at eight?");
	struct json *j;

	(void)state;
	m.bot = bytes_text("helper");
	m.buttons = bytes_text("yes\n<b>no</b>");
	transcript_message(TRANSCRIPT_JSONL, &out, &m, NULL, (struct bytes){ 0 });
	assert_int_equal(json_parse(&j, bytes_of(out.data, out.size - 1)), 0);
	assert_string_equal(json_text(j, "bot"), "helper");
	assert_int_equal(json_count(json_get(j, "buttons")), 2);
	assert_string_equal(json_text_at(json_get(j, "buttons"), 1), "<b>no</b>");
	json_free(j);
	buf_clear(&out);
	transcript_message(TRANSCRIPT_HTML, &out, &m, NULL, (struct bytes){ 0 });
	assert_non_null(strstr(text(), "bob@x &#183; bot helper</small>"));
	assert_non_null(strstr(text(), "<span>yes</span><span>&lt;b&gt;no&lt;/b&gt;</span>"));
	m.bot = m.buttons = (struct bytes){ 0 };
	buf_clear(&out);
	transcript_message(TRANSCRIPT_HTML, &out, &m, NULL, (struct bytes){ 0 });
	assert_null(strstr(text(), "buttons"));
	assert_null(strstr(text(), "&#183;"));
}

static void a_page_holds_no_attribute_of_others(void **state)
{
	struct message m = said("hi");
	struct name evil = { "x\"><script>" };

	(void)state;
	m.kind = MESSAGE_FILE;
	m.has_file = true;
	m.file.name = bytes_text("a\" onload=\"x.png");
	m.file.alt = bytes_text("\"><script>");
	m.file.type = bytes_text("image/png");
	m.contact = evil;
	transcript_begin(TRANSCRIPT_HTML, &out, "me<", 0);
	transcript_with(TRANSCRIPT_HTML, &out, &evil);
	transcript_message(TRANSCRIPT_HTML, &out, &m, "media/7-a.png", (struct bytes){ 0 });
	transcript_end(TRANSCRIPT_HTML, &out);
	assert_null(strstr(text(), "<script"));
	assert_null(strstr(text(), "\" onload"));
	assert_non_null(
		strstr(text(), "<img src=\"media/7-a.png\" alt=\"&quot;&gt;&lt;script"));
	assert_non_null(strstr(text(), "default-src 'none'"));
}

static void a_quote_is_the_beginning_of_what_it_quotes_and_no_markup(void **state)
{
	struct message m = said("<b>one\" \xe2\x80\xae</a>\nsecret");
	char many[200];

	(void)state;
	out.size = 0;
	m.id = 5;
	transcript_quote(TRANSCRIPT_HTML, &out, &m);
	assert_string_equal(text(),
			    "<blockquote><a href=\"#m5\"><small>bob@x</small> "
			    "&lt;b&gt;one&quot; \\u202e&lt;/a&gt;&#8230;</a></blockquote>");
	out.size = 0;
	memset(many, 'x', sizeof many - 1);
	many[sizeof many - 1] = '\0';
	memcpy(many + TRANSCRIPT_QUOTE_MAX - 1, "\xc3\xa9", 2);
	m.text = bytes_text(many);
	transcript_quote(TRANSCRIPT_HTML, &out, &m);
	assert_non_null(strstr(text(), "xx&#8230;"));
	out.size = 0;
	m.is_retracted = m.is_gone = true;
	transcript_quote(TRANSCRIPT_HTML, &out, &m);
	assert_null(strstr(text(), "xx"));
	assert_non_null(strstr(text(), "taken back"));
	out.size = 0;
	transcript_quote(TRANSCRIPT_JSONL, &out, &m);
	assert_int_equal(out.size, 0);
}

static void a_copy_has_a_name_that_is_safe_anywhere(void **state)
{
	static const struct {
		const char *name, *copy;
	} rows[] = {
		{ "a.jpg", "7-a.jpg" },
		{ "../../etc/passwd", "7-___.._etc_passwd" },
		{ "a b\"<.png", "7-a_b__.png" },
		{ ".hidden", "7-_hidden" },
		{ "page.HTML", "7-page.HTML.txt" },
		{ "x.svg", "7-x.svg.txt" },
		{ "x.", "7-x_" },
	};
	char name[TRANSCRIPT_NAME_MAX], longest[256] = "";
	struct message m = said("");

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		m.file.name = bytes_text(rows[i].name);
		transcript_media_name(&m, name);
		if (i != 1)
			assert_string_equal(name, rows[i].copy);
		assert_null(strstr(name, ".."));
		assert_null(strchr(name, '/'));
	}
	memset(longest, 'a', sizeof longest - 1);
	memcpy(longest + sizeof longest - 6, ".html", 6);
	m.file.name = bytes_text(longest);
	m.id = UINT64_MAX;
	transcript_media_name(&m, name);
	assert_true(strlen(name) < sizeof name);
	assert_string_equal(name + strlen(name) - 9, ".html.txt");
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, begin, begin)
	const struct CMUnitTest tests[] = {
		EACH(no_text_of_others_is_markup),
		EACH(characters_that_play_tricks_are_shown),
		EACH(light_formatting_is_rendered_where_it_closes),
		EACH(long_hostile_text_takes_no_long),
		EACH(a_message_is_one_line_of_json),
		EACH(what_a_program_said_is_marked_and_its_buttons_are_a_list),
		EACH(a_page_holds_no_attribute_of_others),
		EACH(a_quote_is_the_beginning_of_what_it_quotes_and_no_markup),
		EACH(a_copy_has_a_name_that_is_safe_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
