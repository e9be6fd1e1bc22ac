# The example a company starts with, as it would lie in /etc/leadd.
examplesdir = $(pkgdatadir)/examples
examplesrulesdir = $(examplesdir)/rules.d
examplestemplatesdir = $(examplesdir)/templates
dist_examples_DATA = %D%/leadd.conf
dist_examplesrules_DATA = %D%/rules.d/05-calendar.conf %D%/rules.d/10-intake.conf \
	%D%/rules.d/20-assignment.conf %D%/rules.d/30-followup.conf \
	%D%/rules.d/40-speed-to-lead.conf %D%/rules.d/50-cases.conf %D%/rules.d/60-deals.conf %D%/rules.d/70-tasks.conf \
	%D%/rules.d/freemail.txt
dist_examplestemplates_DATA = %D%/templates/case-received.txt %D%/templates/case-waits.txt \
	%D%/templates/lead-waits.txt %D%/templates/new-case.txt \
	%D%/templates/task-late.txt %D%/templates/deal-lost.txt %D%/templates/deal-won.txt \
	%D%/templates/follow-up.txt %D%/templates/new-lead.txt %D%/templates/welcome.txt
# Rules for texts, which a company switches on by copying them into the folders above.
textingrulesdir = $(examplesdir)/texting/rules.d
textingtemplatesdir = $(examplesdir)/texting/templates
dist_textingrules_DATA = %D%/texting/rules.d/70-texting.conf
dist_textingtemplates_DATA = %D%/texting/templates/text-prices.sms.txt \
	%D%/texting/templates/text-hours.sms.txt %D%/texting/templates/text-call-me.sms.txt \
	%D%/texting/templates/text-closed.sms.txt
