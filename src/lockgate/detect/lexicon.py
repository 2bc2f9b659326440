"""The vocabulary of instructions to a model: words of several languages, each with one class.

A text becomes a short string with one letter a word, its class, and signals are patterns over that string. So one
pattern covers "ignore all previous instructions", "vergiss alle vorherigen Anweisungen" and "忽略之前的所有指令",
and a gap is counted in words.
"""

from lockgate.detect.normalise import fold

CANCEL = "C"  # ignore, forget
PRIOR = "P"  # previous, above
ALL = "A"  # all, everything
ORDERS = "O"  # instructions, rules, prompt
RULES = "l"  # rules, policy: words that a customer also uses
REVEAL = "R"  # reveal, print, repeat
WRITE = "r"  # write, tell, translate: verbs of ordinary requests
THE = "t"
MUST = "u"
MENTION = "m"  # such as, called: what follows in quotes is talked about, not said
YOUR = "Y"
YOU = "U"
SYSTEM = "S"
SECRET = "K"  # noqa: S105 - a class of words; confidential, hidden: what must not be told
VALUE = "V"  # password, code, key
NOT = "N"  # no, never, without
MODEL = "I"  # assistant, AI, language model
NEW = "W"
ME = "M"
ACT = "T"  # pretend, act, imagine
FREE = "D"  # unrestricted, jailbroken
LIMITS = "L"  # restrictions, filters, ethics
MODE = "G"
DECODE = "Z"
ENCODED = "B"  # base64, backwards
FOLLOW = "F"  # obey, execute
TOLD = "H"  # told, given, received
INSTEAD = "J"
ONLY = "E"  # just, only, exactly
NOW = "X"
ADVISE = "Q"  # what a document says to its reader: note, attention, important
STOP = "."
QUOTE = '"'
OTHER = "o"
"""One letter for each class; OTHER is any other word, STOP the end of a sentence or line."""

_WORDS: dict[str, str] = {
    CANCEL: """ignore ignoring ignores ignored disregard disregarding forget forgetting overlook override
        overrides bypass circumvent neglect discard dismiss nullify supersede supersedes superseded obsolete
        cancelled canceled void nullified irrelevant unlearn abandon renounce omit suspend disable deactivate
        renuncia prescinde scavalca ometti renonce renoncez renuncie ignoriere ignorieren vergiss vergesst
        vergessen missachte missachten umgehe umgehen verwirf ubergehe ignora ignorar ignorad olvida olvide
        olvidar olvidate omite omitir descarta desestima ignorez ignorer oublie oubliez oublier neglige negligez
        contourne esqueca esquece esquecer desconsidere desconsidera desconsiderar descarte dimentica
        dimenticare dimenticate tralascia игнорируй игнорируйте игнорировать забудь забудьте забыть отбрось
        пропусти अनदेखा अनदेखी भूल भूलो उपेक्षा नजरअंदाज bhool bhulo avhelna andekha تجاهل تجاهلي انس انسى اهمل تجاوز
        忽略 忽视 无视 無視 忘记 忘掉 忘れ 忘れて 無視して 無視し""",
    PRIOR: """previous prior above earlier preceding former initial initially original originally foregoing past
        beginning previously before existing current aforementioned preset predefined default other others else
        rest vorherige vorherigen vorigen vorige bisherigen bisherige obigen obige ursprunglichen ursprungliche
        oben fruheren anterior anteriores previas previos previa previo inicial iniciales originales precedente
        precedentes precedentemente precedenti anteriormente antes iniziali iniciais originais предыдущие
        предыдущих предыдущими прежние выше прошлые ранее исходные पिछले पिछली पूर्व पहले pichhle pichle السابقة
        السابق أعلاه السابقه 之前 以前 先前 上面 前面 以上 上記 これまで 前の""",
    ALL: """all any every everything anything whatever whole entire full complete everyone alle alles alln
        saemtliche samtliche ganze gesamten todo todas todos cualquier tous toutes tout toute tudo tutte tutti
        tutto quanto все всё всех सभी सब sabhi كل جميع كافة 所有 一切 全部 すべて 全て 全部の""",
    ORDERS: """instructions instruction guidelines directives directive prompt prompts preprompt programming
        guardrails preamble configuration config initialization anweisungen anweisung instruktionen instruktion
        vorgaben richtlinien instrucciones instruccion indicaciones directrices consignes consigne instrucoes
        instrucao diretrizes istruzioni istruzione direttive indicazioni инструкции инструкций инструкцию
        инструкциям указания указаний промпт промт निर्देश निर्देशों निर्देशो nirdesh nirdeshon التعليمات تعليمات
        تعليماتك توجيهات التوجيهات 指令 指示 提示词 提示 プロンプト""",
    RULES: """rule guideline commands command orders policies policy directions protocols protocol guidance
        assignments assignment briefing request requests task context messages message text conversation befehle
        anordnungen auftrage ordenes comandos ordres ordens ordini comandi команды आदेश आदेशों aadesh niyam الأوامر
        命令 説明""",
    REVEAL: """reveal print output display repeat disclose expose leak recite echo dump regurgitate divulge
        uncover reproduce revealing disclosing printing displaying repeating leaking verrate verrat wiederhole
        offenbare revela repite imprime revelez revele repetez repete affiche affichez repita imprima rivela
        ripeti stampa раскрой выведи повтори напечатай प्रकट दोहराओ اكشف اطبع كرر 透露 输出 打印 重复 揭示 表示
        出力 繰り返し""",
    WRITE: """show tell give share list write type return provide read spell translate summarise summarize
        paraphrase describe encode say state quote copy paste render include transcribe rewrite convert export
        send forward email mail publish explain mention add append insert showing sharing writing zeige zeig
        nenne nenn gib sage sag drucke ubersetze schreibe schreib liste muestra muestrame dime dame escribe
        traduce enumera montre montrez dis donne donnez ecris traduis mostre mostra diga escreva traduza
        mostrami dimmi scrivi traduci elenca покажи покажите скажи назови напиши переведи дай दिखाओ दिखाएं बताओ
        बताएं बताइए लिखो dikhao dikhayen dikhaen batao bataen أظهر اظهر أخبرني اكتب 显示 告诉 说出 列出 翻译 写出
        教えて 示して 見せて 書いて""",
    THE: """the this these that those der die das den dem diese el la los las le les o os as il lo i gli questo
        esto este""",
    MUST: "must should shall required need needs ought mandatory muss musst soll sollst debe debes dois doit "
    "deve devi должен",
    MENTION: """such like called phrase phrases mean means meaning example examples attack attacks says term
        string strings injection injections eg phrasen beispiel ejemplo exemple esempio пример wie como comme""",
    YOUR: """your ur thy dein deine deinen deiner deinem ihre ihren tu tus su sus ton ta tes votre vos seu sua
        seus suas teu teus tua tuoi tue tuo твой твои твоих свои ваши вашу ваш свой आपके आपकी आपका apne aapke
        你的 您的 あなたの あなた""",
    YOU: """you u youre ya du sie ihr tú usted vous você voce ты вы आप तुम أنت انت 你 您""",
    SYSTEM: """system systems developer hidden internal base core underlying backend sys root admin
        administrator master sistema sisteme systeme interne versteckten versteckte системный системные
        системное системную सिस्टम النظام 系统 系統 システム 系统提示 systemprompt""",
    SECRET: """secret secrets confidential private undisclosed classified sensitive forbidden concealed
        restricted privileged geheim geheime geheimen geheimer geheimnis vertraulich vertrauliche vertraulichen
        secreto secreta secretos confidencial confidenciales secrete secretes confidentiel confidentielles
        segredo segredos confidenciais segreto segreta segreti riservato riservate riservati секрет секретный
        секретные секретное тайный गुप्त गोपनीय gopniya سري سرية السري السرية 秘密 机密 机密的 機密 保密 極秘 内緒""",
    VALUE: """password passwords passphrase passcode code codes key keys credentials credential pin flag token
        tokens apikey passwort kennwort kode codewort schlussel losungswort contrasena clave codigo mdp cle
        senha chave codice chiave пароль пароля код ключ पासवर्ड कोड كلمة رمز 密码 密碼 口令 代码 密钥 パスワード
        コード 暗証""",
    NOT: """no not never without dont doesnt wont cannot cant neither nor nobody nothing none free lacks lacking
        stop refuse kein keine keinen ohne nicht niemals nie sin ninguna ningun nunca sans aucun aucune jamais
        sem nenhuma nenhum nao senza nessun nessuna mai без не никаких बिना नहीं bina بدون لا 没有 不 不要 なし
        ない 無い""",
    MODEL: """assistant assistants ai ais chatbot chatbots bot llm llms gpt chatgpt claude gemini copilot llama
        bard agent agents assistent assistenten ki asistente ia assistente помощник ассистент ии सहायक एआई
        المساعد مساعد 助手 人工智能 アシスタント aiアシスタント model models""",
    NEW: """new updated revised actual real true neue neuen nueva nuevas nuevo nouvelle nouvelles novas nova
        nuove nuova новые новая नए नया naye naya جديدة الجديدة 新 新的 新しい""",
    ME: """me mir mich moi mim mi us му мне मुझे mujhe لي 我 私に""",
    ACT: """pretend act roleplay imagine simulate behave impersonate embody become emulate assume portray
        suppose hypothetically hypothetical respond role spiele spiel tue handle finge fingir actua imagina
        simula comportate fais agis joue finja aja fingi comportati immagina притворись представь веди ведите
        अभिनय كن تظاهر تصرف 假装 扮演 假设 模拟 ふりをし 演じ なりきっ""",
    FREE: """unrestricted unfiltered uncensored jailbroken jailbreak jailbreaked unconstrained amoral unhinged
        uninhibited limitless unmoderated lawless unshackled devmode godmode uneingeschrankt uneingeschrankter
        unzensiert sinrestricciones irrestricto irrestrita неограниченный 越狱 不受限制 制限のない""",
    LIMITS: """training rules regeln reglas regles regras regole правила правил नियम नियमों القواعد ルール 規則
        规则 restrictions restriction limits limitations limitation filters filter ethics ethical moral morals
        morality constraints constraint censorship safeguards safety boundaries moderation guards safeguard
        disclaimers einschrankungen beschrankungen grenzen restricciones limites limitaciones filtros
        contraintes restricoes limitacoes filtri restrizioni limiti ограничений ограничения ограничении фильтров
        सीमाओं प्रतिबंध seemaon قيود القيود 限制 制限 约束""",
    MODE: """mode modus modo modalita режим режиме मोड وضع 模式 モード""",
    DECODE: """decode decodes decrypt decipher unscramble deobfuscate dekodiere entschlussele decodifica
        decodifique dechiffre decodez расшифруй декодируй 解码 解密 デコード 復号""",
    ENCODED: """base64 b64 rot13 hex hexadecimal morse binary backwards backward reverse reversed leetspeak leet
        cipher caesar ascii encoded base32 reversing encrypted encoding ruckwarts""",
    FOLLOW: """follow obey execute comply perform answer do run call invoke adhere abide respond reply process
        begin start befolge folge ausfuhren suis obeis siga obedeca segui esegui выполни следуй पालन اتبع نفذ
        执行 遵循 服从 回答 従って 実行 答えて""",
    TOLD: """told given received instructed said asked written wrote gave programmed trained configured set
        gesagt mitgeteilt geschrieben gegeben dicho dado dijeron dit donne recu disse dito detto ricevuto
        сказали сказано сказал получил بلغت قيل 告诉你 说过""",
    INSTEAD: """instead rather stattdessen lugar vez invece вместо इसके بدلا 而是 改为 代わりに""",
    ONLY: """just only exactly verbatim solely simply literally precisely nur solo solamente seulement apenas
        soltanto только केवल فقط 只 仅 だけ""",
    NOW: """now henceforth onwards onward jetzt ahora maintenant agora adesso ora теперь сейчас अब الآن 现在
        今から 今""",
    ADVISE: """note attention important notice urgent alert warning reminder reader readers hinweis achtung
        wichtig aviso importante""",
}  # fmt: skip

# Words that are frequent enough in ordinary text that a scrambled or joined form proves nothing.
_MIN_SCRAMBLED = 6


def _classes() -> dict[str, str]:
    table: dict[str, str] = {}
    for letter, words in _WORDS.items():
        for word in words.split():
            table.setdefault(fold(word), letter)
    return table


CLASSES = _classes()
"""Class of each folded word; a word that appears twice has the class in which it appears first."""

FIRST_WIDE = "\u2e80"
"""The first character of the scripts that write without blanks (CJK radicals and what follows)."""

LONGEST_WIDE = max(len(word) for word in CLASSES if word[0] >= FIRST_WIDE)
"""Characters of the longest word of those scripts."""


def scramble_key(word: str) -> str:
    """What a word keeps when the letters between its first and last are shuffled."""
    return word[0] + "".join(sorted(word[1:-1])) + word[-1]


SCRAMBLED = {
    scramble_key(word): letter for word, letter in CLASSES.items() if len(word) >= _MIN_SCRAMBLED and word.isascii()
}
"""Class of the words of six letters and more, by their scramble key."""
